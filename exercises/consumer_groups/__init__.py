"""Exercise: a consumer group that is large enough, restarts without a needless pause, and survives a poison message."""
from . import check, picture
from .check import judge
from .groups import Deployment, Load
from .log import LIMIT, Failed, NotSent
from .stage import Plan, perform

__all__ = ["LIMIT", "Deployment", "Failed", "Load", "NotSent", "Plan", "check", "judge", "perform", "picture"]
