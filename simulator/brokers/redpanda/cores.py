"""The cores of one broker: one queue a core (thread per core), or one queue for all of them.

In Seastar a partition belongs to one core for good and no other core touches it: no locks, and no help from an idle
neighbour. A queue for each core is an M/D/1 queue where requests come at random, a pool is an M/D/c.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...kernel.node import Node


class Cores:
    """When each core is free again; work takes its turn in the order in which it came."""

    def __init__(self, node: Node, cores: int, thread_per_core: bool):
        self.node, self.thread_per_core = node, thread_per_core
        self.free = [0.0] * cores

    def run(self, key: int, cost: float, effect: Callable, *args) -> None:
        """Has an effect once a core has spent `cost` seconds on it: this partition's core, or the first free one."""
        if cost == 0:
            effect(*args)
            return
        now, free = self.node.world.now, self.free
        core = key % len(free) if self.thread_per_core else free.index(min(free))
        free[core] = max(now, free[core]) + cost
        self.node.world.meters.integrals[f"core seconds {self.node.name}/{core}"] += cost
        self.node.after(free[core] - now, effect, *args)

    def forget(self) -> None:
        """The process is gone, and what it had queued."""
        self.free = [0.0] * len(self.free)
