"""The faults of an event-driven saga in words."""
from exercises.attack.story import where


def words(event: dict) -> str:
    """One fault as a sentence."""
    message, service = f"{event.get('event')} to {event.get('service')}", event["who"].partition("-")[0]
    return {
        "crash": f"The {service} service died {where(event)} (step {event.get('step')}).",
        "pause": f"The {service} service was paused {where(event)} (step {event.get('step')}), another instance was"
                 " quicker, then it woke up.",
        "lost": f"The message {message} was lost for good.",
        "late": f"The message {message} was {event.get('seconds')} seconds late.",
        "again": f"The message {message} was delivered again {event.get('seconds')} seconds later.",
    }[event["what"]]
