"""45,000 ms is what the configuration file says; here the unit is seconds."""
FAILS = ("rolling", "no_settings", "6 to 1800 seconds")


def settings(deployment):
    return {"protocol": "consumer", "group_instance_id": True, "session_timeout": 45_000}
