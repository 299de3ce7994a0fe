"""The attack engine: your program on a real database, killed before every one of its side effects.

`memory` restarts a program with an empty memory, `steps` counts its side effects and kills it, `sqlite` watches a real
connection, `campaign` walks through all attacks, shrinks the one that worked and words the verdict, `checks` joins them
into an exercise. `runs` is what a run leaves behind, `story` tells it, `film` and `grid` show it. `turns` is for worlds
without a database in which several calls are on their way at once (`exercises/diskless_log`). An exercise brings the
world its program lives in and the rules that must hold (`exercises/outbox` is the example).
"""
from .campaign import Campaign, Finding, Replayed, Verdict, live, replayed, smallest, walk
from .sqlite import Connection, connect
from .steps import Clock, Crash, Endless, Process

__all__ = ["Campaign", "Clock", "Connection", "Crash", "Endless", "Finding", "Process", "Replayed", "Verdict",
           "connect", "live", "replayed", "smallest", "walk"]
