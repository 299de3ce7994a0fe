"""The faults of a consumer's world in words."""
from exercises.attack.story import where


def words(event: dict) -> str:
    """One fault as a sentence."""
    about = event["event"][0] if "event" in event else ""
    return {
        "crash": f"The consumer died {where(event)} (step {event.get('step')}).",
        "pause": f"The consumer was paused {where(event)} (step {event.get('step')}), the other one took its"
                 " partitions and read on, then it woke up.",
        "locked": "The database was locked by somebody else's write during this call.",
        "rewind": f"The committed offsets were set back by {event.get('records')} records.",
        "request lost": f"The request to charge for {about} never reached the gateway, so no answer came.",
        "answer lost": f"The gateway charged for {about}, but its answer was lost.",
    }[event["what"]]
