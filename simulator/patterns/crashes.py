"""Crashes at random: how often a process dies, and for how long."""

from __future__ import annotations

from ..kernel.distributions import Exponential
from ..kernel.faults import Fault, crash
from ..kernel.streams import Stream


def crashes(node: str, every: float, seconds: float, lasts: float = 0.5, seed: int = 7) -> list[Fault]:
    """Crashes of one node until `seconds`, on average `every` seconds of being up apart, each of `lasts` seconds."""
    up = Exponential(every).sampler(Stream(seed, f"crashes/{node}"))
    found, now = [], up()
    while now + lasts < seconds:
        found.append(crash(node, at=round(now, 6), lasts=lasts))
        now += lasts + up()
    return found
