"""A session timeout that no restart ever reaches; a dead member is not missed for half an hour either."""
FAILS = ("rolling", "abandoned", "session_timeout 1800 s")


def settings(deployment):
    return {"protocol": "consumer", "group_instance_id": True, "session_timeout": 1800}
