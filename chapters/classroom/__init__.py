"""What a notebook needs to teach: predict before running, quizzes with reasons, goals, checked facts, code in place.

    from classroom import predict, reveal, calibration, quiz, goal, fact, source_of, explore

Every one of them shows HTML with the same words as plain text beside it. Widgets appear only where Python must hear
the learner, and a notebook that nobody answers runs from top to bottom all the same.
"""
import sys
from importlib import import_module
from importlib.util import find_spec

if find_spec("simulator") is None:  # a notebook opened in some other environment finds this folder, and no more
    raise ImportError(f"the course is not installed for {sys.executable}; start it with `make lab`, or see README.md")

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
