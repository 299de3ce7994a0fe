"""Exercise: a log on an object store, written by racing agents that are killed, overtaken and left without answers."""
from . import check, picture
from .check import judge
from .stage import Plan, perform, produced
from .store import NoAnswer, NotFound, Object, PreconditionFailed

__all__ = ["NoAnswer", "NotFound", "Object", "Plan", "PreconditionFailed", "check", "judge", "perform", "picture",
           "produced"]
