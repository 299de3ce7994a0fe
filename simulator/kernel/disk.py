"""A disk behind a page cache: a write is safe from a crash at once, from a power loss only once it was flushed.

The operating system flushes dirty pages about 30 s after they were written (Linux `vm.dirty_expire_centisecs` = 3000);
a program that wants to be sure calls fsync and waits. Left out: bandwidth, read latency, torn writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .distributions import Distribution, Lognormal, as_distribution, check, is_number

if TYPE_CHECKING:
    from .node import Node


@dataclass(frozen=True)
class DiskProfile:
    """How long an fsync takes, and how old dirty pages get before the system writes them back, both in seconds.

    The default fsync is that of a cloud volume: EBS gp3, mean 0.7 ms and maximum 5 ms measured with fio (besthub.dev,
    secondary source).
    """
    fsync: Distribution | float = field(default_factory=lambda: Lognormal.from_percentiles(p50=0.00065, p99=0.0015))
    writeback: float = 30.0

    def __post_init__(self):
        object.__setattr__(self, "fsync", as_distribution("fsync", self.fsync))
        check("writeback", self.writeback, is_number(self.writeback) and self.writeback >= 0, "at least 0 seconds")


class Disk:
    """The disk of one node."""

    def __init__(self, node: Node, profile: DiskProfile):
        self.node, self.profile = node, profile
        self._fsync = node.world.sampler(f"disk/{node.name}", profile.fsync)
        self._free = 0.0

    def fsync(self) -> float:
        """Seconds until an fsync that starts now returns; fsyncs take their turn."""
        now = self.node.world.now
        self._free = max(now, self._free) + self._fsync()
        self.node.world.meters.counts["fsync"] += 1
        return self._free - now

    def written_before(self, moment: float) -> float:
        """Everything written before the returned time had been written back by the system at this moment."""
        return moment - self.profile.writeback
