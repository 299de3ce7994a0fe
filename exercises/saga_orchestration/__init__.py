"""Exercise: an orchestrated saga with durable state on a real SQLite database, attacked at every step."""
from . import check, picture
from .check import judge
from .services import Busy, NoAnswer, Order, Rejected
from .stage import Plan, perform

__all__ = ["Busy", "NoAnswer", "Order", "Plan", "Rejected", "check", "judge", "perform", "picture"]
