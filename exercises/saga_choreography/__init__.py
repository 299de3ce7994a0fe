"""Exercise: a saga by events, without a coordinator, on a SQLite database for each service, attacked at every step."""
from . import check, picture
from .check import judge
from .services import DEADLINE, Event, Order, emit
from .stage import Plan, perform

__all__ = ["DEADLINE", "Event", "Order", "Plan", "check", "emit", "judge", "perform", "picture"]
