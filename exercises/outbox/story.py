"""A run in words: which fault struck where, and every step before and after it."""

LINES_BEFORE, LINES_AFTER = 16, 12


def how(run) -> str:
    """The faults of a run in words; the first ones if there are many."""
    faults = [words(event) for event in run.events if event.get("fault")]
    told = list(dict.fromkeys(faults))[:3]
    return " ".join(told) if told else "No fault was needed: it happens every time."


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


def where(event: dict) -> str:
    """The crash point by its name: after one side effect and before the next of the same call."""
    after = f"after {event['after']}, " if event.get("after") else ""
    return f"{after}before {event.get('before')}"


def story(run) -> list[str]:
    """Every call and step, one line each, cut to what surrounds the faults."""
    lines = [line(event) for event in run.events]
    struck = [number for number, event in enumerate(run.events) if event.get("fault")] or [0]
    start, stop = max(0, struck[0] - LINES_BEFORE), struck[-1] + LINES_AFTER
    return ["..."] * (start > 0) + lines[start:stop] + ["..."] * (stop < len(lines))


def line(event: dict) -> str:
    """One event of a run as one line of text."""
    if event["what"] == "call":
        ended = {"ok": "", "info": "   (died: nobody knows how far it got)", "endless": "   (never returned)"}
        return f"{event['call']}({event['about']})" + ended.get(event["outcome"], f"   raised {event.get('error')}")
    if event.get("fault"):
        return f"  !!!  {words(event)}"
    error = f"   failed: {event['error']}" if "error" in event else ""
    return f"{event.get('step', ''):>5}  {event['what']}{error}"
