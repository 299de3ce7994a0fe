"""Everybody is replaced at once, and all state is loaded twice."""
FAILS = ("rolling", "needless", "consumer without instance ids")


def settings(deployment):
    return {"protocol": "consumer", "group_instance_id": False, "session_timeout": deployment.replaced_within - 8}
