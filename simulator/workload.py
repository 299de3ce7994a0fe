"""What the business asks for: records, their sizes and keys, and the consumers with their work. Knows no broker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .kernel.distributions import Distribution, Exponential, as_distribution, check, is_number, is_whole
from .kernel.streams import Stream


@dataclass(frozen=True)
class Workload:
    """`rate` records a second of `record_bytes` each, for `seconds`, on `keys` different keys (None: no keys).

    arrivals: "poisson" (independent senders) or "even" (a metronome).
    skew: 0 makes all keys equally frequent; s > 0 makes the k-th key k^-s times as frequent as the first (Zipf).
    consumers: members of the one consumer group, or workers of a queue, or subscribers.
    work: seconds a consumer needs for one record, a number or a distribution.
    """
    rate: float = 1_000.0
    record_bytes: int = 1_000
    keys: int | None = 500
    seconds: float = 60.0
    arrivals: str = "poisson"
    skew: float = 0.0
    consumers: int = 1
    work: float | Distribution = 0.0

    def __post_init__(self):
        check("rate", self.rate, is_number(self.rate) and self.rate > 0, "greater than 0 records a second")
        check("record_bytes", self.record_bytes, is_whole(self.record_bytes) and self.record_bytes > 0,
              "a whole number of bytes, at least 1")
        check("keys", self.keys, self.keys is None or is_whole(self.keys) and self.keys > 0,
              "a whole number, at least 1, or None")
        check("seconds", self.seconds, is_number(self.seconds) and self.seconds > 0, "greater than 0 seconds")
        check("arrivals", self.arrivals, self.arrivals in ("poisson", "even"), "'poisson' or 'even'")
        check("skew", self.skew, is_number(self.skew) and self.skew >= 0, "at least 0")
        check("consumers", self.consumers, is_whole(self.consumers) and self.consumers >= 0,
              "a whole number, at least 0")
        object.__setattr__(self, "work", as_distribution("work", self.work))

    def arrival_times(self, stream: Stream) -> np.ndarray:
        """The times in seconds at which records come into being, in order."""
        if self.arrivals == "even":
            return np.arange(1, int(round(self.rate * self.seconds, 9)) + 1) / self.rate
        expected = self.rate * self.seconds
        gaps = Exponential(1.0 / self.rate).quantile(stream.uniforms(int(expected + 6 * expected ** 0.5) + 16))
        times = np.round(np.cumsum(gaps), 9)
        return times[:np.searchsorted(times, self.seconds)]

    def record_keys(self, stream: Stream, count: int) -> np.ndarray | None:
        """The key numbers (from 0) of `count` records, or None if records have no key."""
        if self.keys is None:
            return None
        if self.skew == 0:
            return np.floor(stream.uniforms(count) * self.keys).astype(np.int32)
        shares = np.cumsum(np.arange(1, self.keys + 1) ** -float(self.skew))
        return np.searchsorted(shares / shares[-1], stream.uniforms(count)).astype(np.int32)
