"""Distributions of durations, in seconds, each given by its inverse distribution function.

Draws are rounded to a nanosecond, so that the last bit of a library's logarithm cannot change a run.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np

from .streams import Stream

BLOCK = 1024


class Distribution:
    """A non-negative duration; subclasses give `quantile` (vectorised) and `mean`."""

    mean: float

    def quantile(self, p: np.ndarray) -> np.ndarray:
        """The durations not exceeded with probability `p`, elementwise."""
        raise NotImplementedError

    def draws(self, stream: Stream, count: int) -> np.ndarray:
        """`count` independent draws, rounded to a nanosecond."""
        return np.round(self.quantile(stream.uniforms(count)), 9)

    def sampler(self, stream: Stream) -> Callable[[], float]:
        """A function that returns the next draw; it takes the stream in blocks, so give each sampler its own."""
        def draws():
            while True:
                yield from self.draws(stream, BLOCK).tolist()
        return draws().__next__


@dataclass(frozen=True)
class Fixed(Distribution):
    """Always the same duration."""
    value: float = 0.0

    def __post_init__(self):
        check("value", self.value, is_number(self.value) and self.value >= 0, "at least 0")

    @property
    def mean(self) -> float:
        return self.value

    def quantile(self, p):
        return np.full(np.shape(p), self.value)


@dataclass(frozen=True)
class Uniform(Distribution):
    """Anything from `low` to `high`, equally likely."""
    low: float
    high: float

    def __post_init__(self):
        check("high", self.high, is_number(self.high) and self.high >= 0, "at least 0")
        check("low", self.low, is_number(self.low) and 0 <= self.low <= self.high,
              f"between 0 and high, which is {self.high}")

    @property
    def mean(self) -> float:
        return (self.low + self.high) / 2

    def quantile(self, p):
        return self.low + (self.high - self.low) * np.asarray(p)


@dataclass(frozen=True)
class Exponential(Distribution):
    """Memoryless, with this mean."""
    mean: float

    def __post_init__(self):
        check("mean", self.mean, is_number(self.mean) and self.mean > 0, "greater than 0")

    def quantile(self, p):
        return -self.mean * np.log1p(-np.asarray(p))


@dataclass(frozen=True)
class Lognormal(Distribution):
    """A floor plus a duration whose logarithm is normal: the usual shape of network and storage latencies."""
    median: float
    sigma: float
    floor: float = 0.0

    def __post_init__(self):
        check("median", self.median, is_number(self.median) and self.median > 0, "greater than 0")
        check("sigma", self.sigma, is_number(self.sigma) and self.sigma >= 0, "at least 0")
        check("floor", self.floor, is_number(self.floor) and self.floor >= 0, "at least 0")

    @classmethod
    def from_percentiles(cls, p50: float, p99: float, floor: float = 0.0) -> Lognormal:
        """The lognormal through a published median and 99th percentile (both including the floor)."""
        check("p99", p99, all(map(is_number, (floor, p50, p99))) and floor < p50 <= p99,
              f"at least p50, which is {p50}, and both above the floor, {floor}")
        return cls(p50 - floor, math.log((p99 - floor) / (p50 - floor)) / 2.3263478740408408, floor)

    @property
    def mean(self) -> float:
        return self.floor + self.median * math.exp(self.sigma ** 2 / 2)

    def quantile(self, p):
        from scipy.special import ndtri
        return self.floor + self.median * np.exp(self.sigma * ndtri(p))


@dataclass(frozen=True)
class Mixture(Distribution):
    """Mostly `body`, and for a `share` of the draws `tail`: what one lognormal cannot say about rare, long waits."""
    body: Distribution
    tail: Distribution
    share: float

    def __post_init__(self):
        check("share", self.share, is_number(self.share) and 0 < self.share < 1, "between 0 and 1")
        for name in ("body", "tail"):
            check(name, getattr(self, name), isinstance(getattr(self, name), Distribution), "a distribution")

    @property
    def mean(self) -> float:
        return (1 - self.share) * self.body.mean + self.share * self.tail.mean

    def draws(self, stream, count):
        """Each uniform number chooses the component, and what is left of it the duration."""
        u, share = stream.uniforms(count), self.share
        rare = u < share
        u = np.where(rare, u / share, (u - share) / (1 - share))
        u = np.clip(u, 2.0 ** -53, 1 - 2.0 ** -53)
        return np.round(np.where(rare, self.tail.quantile(u), self.body.quantile(u)), 9)

    def quantile(self, p):
        """By bisection on the share of the body that is not longer: both components are cut at the same duration."""
        p = np.asarray(p, float)
        low, high = np.zeros(p.shape), np.maximum(self.body.quantile(p), self.tail.quantile(p))
        for _ in range(60):
            middle = (low + high) / 2
            below = (1 - self.share) * _below(self.body, middle) + self.share * _below(self.tail, middle) < p
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return high


def _below(distribution: Distribution, durations: np.ndarray) -> np.ndarray:
    """The probability of a duration not longer than each of these, by bisection on the quantiles."""
    low, high = np.zeros(durations.shape), np.ones(durations.shape)
    for _ in range(50):
        middle = (low + high) / 2
        longer = distribution.quantile(middle) > durations
        low, high = np.where(longer, low, middle), np.where(longer, middle, high)
    return low


def as_distribution(field: str, value: float | Distribution) -> Distribution:
    """A number as a fixed duration, a distribution as itself; anything else is refused by the field's name."""
    if isinstance(value, Distribution):
        return value
    if is_number(value) and value >= 0:
        return Fixed(float(value))
    raise ValueError(f"{field}: {value!r} is not a number of seconds (at least 0) or a distribution")


def is_number(value, finite: bool = True) -> bool:
    """Whether a value is a real number, and finite unless that does not matter; True and False are not numbers here."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    return value == value and (not finite or abs(value) < math.inf)


def is_whole(value) -> bool:
    """Whether a value is a whole number; True and False are not numbers here."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def check(field: str, value, holds: bool, allowed: str) -> None:
    """Refuses a value in one sentence that names the field, the value and what is allowed."""
    if not holds:
        raise ValueError(f"{field}: {value!r} is not allowed; it must be {allowed}")
