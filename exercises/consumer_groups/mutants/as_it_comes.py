"""The defaults: eager, no names, 45 s. Everybody stops, twice for each member."""
FAILS = ("rolling", "needless", "eager without instance ids")


def settings(deployment):
    return {"protocol": "eager", "group_instance_id": False,
            "session_timeout": max(6, min(45, deployment.replaced_within - 8))}
