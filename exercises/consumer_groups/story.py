"""The faults of a consumer's world in words."""
from exercises.attack.story import where


def words(event: dict) -> str:
    """One fault as a sentence."""
    record = event.get("record")
    return {
        "crash": f"The consumer died {where(event)} (step {event.get('step')}).",
        "failed": f"The service did not take {record}.",
        "killed": f"The service took the consumer down when it was given {record}.",
        "letter lost": f"The dead letter {record} never arrived, so no confirmation came.",
        "confirmation lost": f"The dead letter {record} was stored, but its confirmation was lost.",
    }[event["what"]]
