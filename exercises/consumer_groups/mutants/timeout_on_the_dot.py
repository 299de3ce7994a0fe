"""The timeout is what was asked for, and the rebalance comes on top."""
FAILS = ("rolling", "abandoned", "are allowed")


def settings(deployment):
    named = deployment.away + 8 < deployment.replaced_within and deployment.away < 5 + 2 * deployment.warm_up
    return {"protocol": "consumer", "group_instance_id": named, "session_timeout": deployment.replaced_within}
