"""The faults of a saga's world in words."""
from exercises.attack.story import where


def words(event: dict) -> str:
    """One fault as a sentence."""
    about = f"{event.get('service')} {event.get('order')}"
    return {
        "crash": f"The worker died {where(event)} (step {event.get('step')}).",
        "pause": f"A worker was paused {where(event)} (step {event.get('step')}), the other one took over, then it"
                 " woke up.",
        "request lost": f"The request {about} never arrived, so no answer came.",
        "answer lost": f"The request {about} was carried out, but its answer was lost.",
        "late": f"The request {about} was late: it arrived when nobody waited for it any more.",
        "busy": f"At the request {about} the service was busy.",
    }[event["what"]]
