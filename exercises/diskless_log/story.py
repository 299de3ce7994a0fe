"""The faults of an object store's world in words."""
from exercises.attack.story import where

FATES = {"request lost": "never arrived", "answer lost": "was carried out if it could be, and its answer was lost",
         "late": "got no answer, and arrived later"}


def words(event: dict) -> str:
    """One fault as a sentence."""
    who, at = event["who"], f"{where(event)} (step {event.get('step')})"
    later = f"went on {event.get('later')} step{'s' * (event.get('later') != 1)} later"
    if event["what"] in FATES:
        return f"A request of {who} {FATES[event['what']]}: {event.get('request')}."
    return {"crash": f"{who} was killed {at}.",
            "pause": f"{who} fell asleep {at}, and {later}, when all others were done.",
            "overtaken": f"{who} was overtaken by {event.get('by')} {at}, and {later}."}[event["what"]]
