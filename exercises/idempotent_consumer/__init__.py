"""Exercise: an idempotent consumer of a Kafka-like log, on a real SQLite database, attacked at every step."""
from . import check, picture
from .check import judge
from .log import CommitFailed, Event, NoAnswer
from .stage import Plan, perform

__all__ = ["CommitFailed", "Event", "NoAnswer", "Plan", "check", "judge", "perform", "picture"]
