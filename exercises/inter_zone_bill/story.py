"""The one fault of this exercise in words."""


def words(event: dict) -> str:
    """One fault as a sentence."""
    return f"All brokers in zone {event['zone']} lost their power, for good, while records were being written."
