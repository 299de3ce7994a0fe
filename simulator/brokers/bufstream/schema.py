"""Which records do not conform to their topic's schema, and what becomes of them before they reach a broker.

Whether a record conforms is a property of its bytes, so it is kept beside the records, and whoever looks can tell: the
library of a producer, a broker that checks, a consumer that reads.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .system import BufstreamSystem


class Schema:
    """The topic's schema, as far as it matters here: who breaks it, and where that is found out."""

    def __init__(self, system: BufstreamSystem):
        config = system.config
        self.release, self._draw = config.release, system.world.stream("schema/records")
        found = [place for place in config.checks if self.release and self.release.seen_by(place)]
        self.stopped = "ci" in found              # the release never goes out
        self.by_library = "producer" in found and not self.stopped
        self.by_broker = "broker" in config.checks
        self.poison: list[list[int]] = []         # of each partition, the values that do not conform, in order

    def broken(self, times: np.ndarray, by: np.ndarray) -> np.ndarray:
        """Of each record, whether its program makes it such that it does not conform."""
        if self.release is None or self.stopped:
            return np.zeros(len(times), bool)
        concerned = (by == self.release.producer - 1) & (times >= self.release.at)
        concerned[concerned] = self._draw.uniforms(int(concerned.sum())) < self.release.share
        return concerned

    def first(self, key: int, value: int, count: int) -> int | None:
        """The first of these values that does not conform, None if all do."""
        known = self.poison[key]
        at = bisect_left(known, value)
        return known[at] if at < len(known) and known[at] < value + count else None

    def count(self, key: int, value: int, count: int) -> int:
        """How many of these values do not conform."""
        known = self.poison[key]
        return bisect_left(known, value + count) - bisect_left(known, value)

    def refuses(self, batch) -> bool:
        """Whether brokers refuse this batch: they look, and one record of it does not conform."""
        return self.by_broker and self.first(batch.key, batch.value, batch.count) is not None
