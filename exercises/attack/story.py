"""A run in words: which fault struck where, and every step before and after it.

An exercise brings `words(event)`, the sentence for one of its faults.
"""
from collections.abc import Callable

from .campaign import Finding

LINES_BEFORE, LINES_AFTER = 16, 12
MOST_LINES = 60  # of a run that repeats itself, its beginning and its end are enough
EVERY_TIME = "No fault was needed: it happens every time."


def first_broken(run, rules, words: Callable, calm: str = EVERY_TIME) -> Finding | None:
    """The first rule that a run breaks, explained; None if all hold. `calm` explains a run without a fault."""
    for rule in rules:
        for sentence in rule(run):
            return Finding(rule.__name__, sentence, how(run, words) or calm, story(run, words), run.events, words)
    return None


def how(run, words: Callable) -> str:
    """The faults of a run in words; the first ones if there are many, nothing if there was none."""
    faults = [words(event) for event in run.events if event.get("fault")]
    return " ".join(list(dict.fromkeys(faults))[:3])


def where(event: dict) -> str:
    """The crash point by its name: after one side effect and before the next of the same call."""
    after = f"after {event['after']}, " if event.get("after") else ""
    return f"{after}before {event.get('before')}"


def story(run, words: Callable) -> list[str]:
    """Every call and step, one line each, cut to what surrounds the faults and those who go on after one."""
    lines = [line(event, words) for event in run.events]
    struck = [n for n, event in enumerate(run.events) if event.get("fault") or event["what"].endswith("goes on")] or [0]
    start, stop = max(0, struck[0] - LINES_BEFORE), struck[-1] + LINES_AFTER
    return ["..."] * (start > 0) + shortened(lines[start:stop]) + ["..."] * (stop < len(lines))


def shortened(lines: list[str]) -> list[str]:
    """The lines, or the first and the last of very many."""
    if len(lines) <= MOST_LINES:
        return lines
    left_out = len(lines) - MOST_LINES
    return [*lines[:-left_out - LINES_AFTER], f"... ({left_out} lines left out)", *lines[-LINES_AFTER:]]


def line(event: dict, words: Callable) -> str:
    """One event of a run as one line of text."""
    if event["what"] == "call":
        ended = {"ok": "", "info": "   (died: nobody knows how far it got)", "endless": "   (never returned)"}
        return f"{event['call']}({event['about']})" + ended.get(event["outcome"], f"   raised {event.get('error')}")
    if event.get("fault"):
        return f"  !!!  {words(event)}"
    error = f"   failed: {event['error']}" if "error" in event else ""
    answer = f"   -> {event['answer']}" if event.get("answer") else ""
    who = f"{event['who']}: " if "peer" in event else ""  # where several take steps in turn
    return f"{event.get('step', ''):>5}  {who}{event['what']}{answer}{error}"
