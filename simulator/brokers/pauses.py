"""Brokers that stop now and then, as a process does whose garbage collector stops the world: any system, with pauses.

Where the numbers come from: the documentation of Apache Kafka ("Java version") says of a busy cluster with the G1
collector that 90 % of its pauses were at most about 21 ms, and that there was less than one young collection a
second. One published figure fixes one parameter; that lengths and gaps are exponential is an assumption. What
collectors without long pauses (ZGC) do, `length` can say.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from ..kernel.distributions import Distribution, Exponential, as_distribution
from .settings import check, positive_seconds

if TYPE_CHECKING:
    from ..kernel.node import Node

PUBLISHED_P90 = 0.021  # seconds


@dataclass(frozen=True)
class Pauses:
    """The same system, whose nodes of one `role` each stop for `length` seconds, `gap` seconds apart on average.

    A node that is down or stands still already has no pause of its own; a fault that pauses it meanwhile ends with the
    pause.
    """
    system: object
    length: Distribution | float = Exponential(PUBLISHED_P90 / log(10))
    gap: float = 1.0
    role: str = "broker"

    def __post_init__(self):
        check(self, "system", hasattr(self.system, "build"), "a system, for example kafka.Cluster()")
        object.__setattr__(self, "length", as_distribution("length", self.length))
        positive_seconds(self, "gap")

    @property
    def network(self):
        """The network of the system itself."""
        return getattr(self.system, "network", None)

    def build(self, world, workload):
        """The running system, with a clock of pauses on each of its nodes."""
        running = self.system.build(world, workload)
        nodes = [node for node in world.nodes.values() if node.role == self.role]
        check(self, "role", nodes, f"one of {', '.join(sorted({node.role for node in world.nodes.values()}))}")
        for node in nodes:
            _Clock(node, self)
        return running

    def __str__(self) -> str:
        return f"{self.system} with pauses"


class _Clock:
    """One node's pauses, one after the other, until the run ends."""

    def __init__(self, node: Node, pauses: Pauses):
        self.node, self.world = node, node.world
        self.gap = node.world.sampler(f"pauses/{node.name}/gap", Exponential(pauses.gap))
        self.length = node.world.sampler(f"pauses/{node.name}/length", pauses.length)
        self.world.after(self.gap(), self.begin)

    def begin(self) -> None:
        node = self.node
        if node.up and not node.paused:
            node.pause()
            self.world.after(self.length(), self.end, node.incarnation)
        else:
            self.world.after(self.gap(), self.begin)

    def end(self, life: int) -> None:
        if self.node.incarnation == life:
            self.node.resume()
        self.world.after(self.gap(), self.begin)
