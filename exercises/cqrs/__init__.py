"""Exercise: a read model that is projected, read, rebuilt and measured, attacked at every step."""
from . import check, picture
from .check import judge
from .log import Event, Log, NotYet
from .stage import Plan, perform

__all__ = ["Event", "Log", "NotYet", "Plan", "check", "judge", "perform", "picture"]
