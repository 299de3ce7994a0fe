"""Exercise: judge changes of a schema by what readers of the past and of the future read, and repair one."""
from . import check, picture
from .check import judge
from .schema import Field, Schema, Value
from .stage import Plan, perform

__all__ = ["Field", "Plan", "Schema", "Value", "check", "judge", "perform", "picture"]
