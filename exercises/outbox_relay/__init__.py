"""Exercise: relays for an outbox on a database that lets many write at once, attacked over every order of commits."""
from . import check, picture
from .broker import Fenced, NotConfirmed
from .check import judge
from .stage import KEEP, LEASE, Plan, perform
from .table import Row

__all__ = ["Fenced", "KEEP", "LEASE", "NotConfirmed", "Plan", "Row", "check", "judge", "perform", "picture"]
