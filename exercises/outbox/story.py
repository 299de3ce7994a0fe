"""The faults of the outbox in words."""
from exercises.attack.story import where


def words(event: dict) -> str:
    """One fault as a sentence."""
    order = event["event"][1] if "event" in event else ""
    return {
        "crash": f"The {event['who']} died {where(event)} (step {event.get('step')}).",
        "event lost": f"The event of {order} never reached the broker, so no confirmation came.",
        "confirmation lost": f"The broker stored the event of {order}, but its confirmation was lost.",
        "refused": f"The broker refuses the event of {order}, every time.",
        "acknowledgement lost": f"The acknowledgement of {order} was lost, so it was delivered again.",
    }[event["what"]]
