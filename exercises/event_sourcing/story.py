"""The faults of an event store's world in words."""
from exercises.attack.story import where


def words(event: dict) -> str:
    """One fault as a sentence."""
    return {
        "crash": f"The writer died {where(event)} (step {event.get('step')}).",
        "pause": f"The writer was paused {where(event)} (step {event.get('step')}), the other one carried out its"
                 " orders, then this one went on.",
        "locked": "The database was locked by somebody else's write during this call.",
        "lost": f"The call returned, but its answer was lost, so it was made again: {event.get('about')}.",
        "stale": "Each stream has a snapshot of schema 1, as an older program left it.",
        "archive": f"The events of {event.get('stream')} below version {event.get('below')} were moved to the archive,"
                   " because a snapshot covers them.",
    }[event["what"]]
