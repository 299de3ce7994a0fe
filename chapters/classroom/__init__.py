"""What a notebook needs to teach: predict before running, quizzes with reasons, goals, checked facts, code in place.

    from classroom import predict, reveal, calibration, quiz, goal, fact, source_of, explore

Every one of them shows HTML with the same words as plain text beside it. Widgets appear only where Python must hear
the learner, and a notebook that nobody answers runs from top to bottom all the same.
"""
from importlib import import_module

ROOMS = {
    "predict": "predictions", "reveal": "predictions", "calibration": "predictions",
    "quiz": "quizzes", "goal": "goals", "fact": "facts", "source_of": "source", "explore": "explorables",
}
__all__ = sorted(ROOMS)


def __getattr__(name: str):
    """Import on first use (PEP 562): `python -m classroom lab` must not wait for widgets and figures."""
    if name not in ROOMS:
        raise AttributeError(f"classroom has no {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"{__name__}.{ROOMS[name]}"), name)
