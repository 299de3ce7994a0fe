"""What became of a record, in words."""


def words(event: dict) -> str:
    """A record that does not come through, as a sentence."""
    sent = event["sent"] or "no byte at all"
    return f"A record of {event['whose']} ({event['record']}), sent as {sent}: {event['wrong']}."
