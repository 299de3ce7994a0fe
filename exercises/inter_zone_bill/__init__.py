"""Exercise: the bill between zones: counted from a topology, halved in two ways, and the part that cannot be saved."""
from . import check, picture
from .check import judge
from .questions import EXAMPLE, MISLED, MISREAD
from .stage import Plan, perform
from .tariffs import AWS, MONTH, TARIFFS
from .topology import MIN_INSYNC, Consumer, Producer, Topology

__all__ = ["AWS", "Consumer", "EXAMPLE", "MIN_INSYNC", "MISLED", "MISREAD", "MONTH", "Plan", "Producer", "TARIFFS",
           "Topology", "check", "judge", "perform", "picture"]
