"""Exercise: the transactional outbox, on a real SQLite database and an at-least-once broker, attacked at every step."""
from . import check, picture
from .broker import Event, NotConfirmed, Refused
from .check import judge
from .stage import Order, Plan, perform

__all__ = ["Event", "NotConfirmed", "Order", "Plan", "Refused", "check", "judge", "perform", "picture"]
