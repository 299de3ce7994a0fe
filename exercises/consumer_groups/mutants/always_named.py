"""Named members are waited for, however long they are away."""
FAILS = ("rolling", "needless", "consumer with instance ids")


def settings(deployment):
    return {"protocol": "consumer", "group_instance_id": True, "session_timeout": deployment.replaced_within - 8}
