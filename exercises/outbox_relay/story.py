"""The faults of a relay's world in words."""
from exercises.attack.story import where


def words(event: dict) -> str:
    """One fault as a sentence."""
    about = event.get("event", "")
    return {
        "crash": f"The process died {where(event)} (step {event.get('step')}).",
        "pause": f"{event.get('who')} was paused for {event.get('seconds', 0):g} s {where(event)}"
                 f" (step {event.get('step')}); the others went on meanwhile.",
        "event lost": f"The broker never got {about}, so no confirmation came.",
        "confirmation lost": f"The broker stored {about}, but its confirmation was lost.",
        "late commit": f"{about}, with a lower position than others, was committed only now.",
        "snapshot": "The slot was made anew, so the log begins with a snapshot of rows that were published long ago.",
    }[event["what"]]
