"""Exercise: an event-sourced account on a real SQLite database, attacked by crashes and a second writer."""
from . import check, picture
from .check import judge
from .history import SCHEMA, STATE_SCHEMA, Conflict, Event, UnknownEvent
from .stage import Plan, perform

__all__ = ["Conflict", "Event", "Plan", "SCHEMA", "STATE_SCHEMA", "UnknownEvent", "check", "judge",
           "perform", "picture"]
