"""The faults of a read model's world in words."""
from exercises.attack.story import where


def words(event: dict) -> str:
    """One fault as a sentence."""
    return {
        "crash": f"The {event['who'].split()[0]} died {where(event)} (step {event.get('step')}).",
        "pause": f"The {event['who'].split()[0]} was paused {where(event)} (step {event.get('step')}), others went on"
                 " meanwhile, then it woke up.",
        "skew": f"The clock that was asked is {event.get('seconds')} s behind the one that wrote the last event.",
        "again": f"Events at positions {', '.join(map(str, event.get('events', ())))} were delivered once more.",
    }[event["what"]]
