"""Numbers with their uncertainty: quantiles, means and bands that say how far to trust them.

Two rules of simulation practice decide which function is right. Within one run, waits and latencies depend on their
neighbours, so that a mean needs batches (`batch_means`) before Student's t applies; runs from different seeds are
independent (`mean_interval`, `bands`). Source: Law, Simulation Modeling and Analysis, chapter 9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Samples = Sequence[float] | np.ndarray
LEVELS = (0.5, 0.95, 0.99, 0.999)


@dataclass(frozen=True)
class Estimate:
    """A value and the interval that holds the true one with probability `confidence`."""
    value: float
    low: float
    high: float
    confidence: float = 0.95

    @property
    def half_width(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2

    def __contains__(self, truth: float) -> bool:
        return self.low <= truth <= self.high

    def __str__(self) -> str:
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}]"


def quantile(samples: Samples, p: float, confidence: float = 0.95) -> Estimate:
    """The p-quantile of independent samples, with an interval of order statistics that assumes nothing about their
    distribution.

    The number of samples below the true quantile is binomial, so its quantiles are the ranks of the bounds. A bound
    that would need a rank beyond the sample is infinite: ten samples say nothing about a p99.9.
    """
    from scipy.stats import binom
    ordered = np.sort(_samples(samples))
    _fraction("p", p)
    _fraction("confidence", confidence)
    n, tail = len(ordered), (1 - confidence) / 2
    low, high = int(binom.ppf(tail, n, p)) - 1, int(binom.ppf(1 - tail, n, p))
    return Estimate(float(np.quantile(ordered, p)), float(ordered[low]) if low >= 0 else -np.inf,
                    float(ordered[high]) if high < n else np.inf, confidence)


def mean_interval(samples: Samples, confidence: float = 0.95) -> Estimate:
    """The mean of independent samples, one a seed for example, with Student's t interval."""
    from scipy.stats import t
    samples = _samples(samples)
    _fraction("confidence", confidence)
    mean = float(samples.mean())
    if len(samples) < 2:
        return Estimate(mean, -np.inf, np.inf, confidence)
    half = float(t.ppf((1 + confidence) / 2, len(samples) - 1) * samples.std(ddof=1) / np.sqrt(len(samples)))
    return Estimate(mean, mean - half, mean + half, confidence)


def batch_means(series: Samples, batches: int = 20, warm_up: float = 0.1, confidence: float = 0.95) -> Estimate:
    """The mean of one run's successive observations, which depend on each other, from the means of `batches` long
    stretches.

    The first `warm_up` of the series, a fraction, is dropped: a run starts empty. Observations beyond a multiple of
    `batches` are too.
    """
    series = _samples(series)
    if not 0 <= warm_up < 1:
        raise ValueError(f"warm_up: {warm_up!r} is not a fraction from 0 to below 1")
    settled = series[int(len(series) * warm_up):]
    if not 2 <= batches <= len(settled):
        raise ValueError(f"batches: {batches!r} is not between 2 and the {len(settled)} observations after the warm-up")
    size = len(settled) // batches
    return mean_interval(settled[-size * batches:].reshape(batches, size).mean(axis=1), confidence)


@dataclass(frozen=True)
class Bands:
    """Mean and confidence band of a curve over seeds: one entry a point."""
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def bands(samples: Sequence[Sequence[float]] | np.ndarray, confidence: float = 0.95) -> Bands:
    """The mean of each point over seeds with its interval; `samples[seed][point]`."""
    samples = np.asarray(samples, float)
    if samples.ndim != 2 or not samples.size:
        raise ValueError(f"samples: shape {samples.shape} is not (seeds, points)")
    estimates = [mean_interval(point, confidence) for point in samples.T]
    return Bands(*(np.array([getattr(estimate, name) for estimate in estimates]) for name in ("value", "low", "high")))


def empirical_cdf(samples: Samples, points: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """x and P(X <= x) at no more than `points` places, half of them for the upper tail: tails are why one looks."""
    ordered = np.sort(_samples(samples))
    n = len(ordered)
    if points < 2:
        raise ValueError(f"points: {points!r} is below 2")
    middle = np.linspace(0, n - 1, points - points // 2)
    tail = n - np.geomspace(1, n, points // 2)  # ranks counted from the largest
    chosen = np.concatenate((middle, tail)).round().astype(int).clip(0, n - 1) if n > points else np.arange(n)
    chosen = np.unique(np.searchsorted(ordered, ordered[chosen], "right") - 1)  # of equals the last
    return ordered[chosen], (chosen + 1) / n


def time_average(times: Samples, levels: Samples, until: float) -> float:
    """The average of a level that is `levels[i]` from `times[i]` to the next, and the last one until `until`."""
    times, levels = np.asarray(times, float), np.asarray(levels, float)
    if len(times) != len(levels) or not len(times):
        raise ValueError(f"levels: {len(levels)} of them do not fit {len(times)} times")
    if np.any(np.diff(times) < 0) or until <= times[0] or until < times[-1]:
        raise ValueError(f"times: they must ascend and end before until={until!r}")
    return weighted_mean(levels, np.diff(np.append(times, until)))


def weighted_mean(values: Samples, weights: Sequence[float] | np.ndarray) -> float:
    """The mean of values that count as much as their weights."""
    weights = np.asarray(weights, float)
    if np.any(weights < 0) or not weights.sum() > 0:
        raise ValueError("weights: they must be at least 0 and not all 0")
    return float(np.average(np.asarray(values, float), weights=weights))


class Latency:
    """Seconds each record took, summed up: `p50`, `p95`, `p99`, `p999`, `mean`, `n`; shown in milliseconds."""

    def __init__(self, seconds: Samples, what: str = "latency"):
        self.seconds, self.what = np.asarray(seconds, float), what
        self.n = len(self.seconds)
        self.mean = float(self.seconds.mean()) if self.n else np.nan
        values = np.quantile(self.seconds, LEVELS).tolist() if self.n else [np.nan] * len(LEVELS)
        self.p50, self.p95, self.p99, self.p999 = values

    def quantile(self, p: float, confidence: float = 0.95) -> Estimate:
        """Any quantile, with its interval."""
        return quantile(self.seconds, p, confidence)

    def _cells(self) -> list[tuple[str, str]]:
        names = ("p50", "p95", "p99", "p99.9", "mean")
        values = (self.p50, self.p95, self.p99, self.p999, self.mean)
        return [(name, f"{1000 * value:.4g} ms") for name, value in zip(names, values)] + [("n", f"{self.n:,}")]

    def __repr__(self) -> str:
        if not self.n:
            return f"{self.what}: no record has one"
        widths = [max(len(name), len(value)) for name, value in self._cells()]
        lines = (f"{name:>{width}}" for (name, _), width in zip(self._cells(), widths)), \
                (f"{value:>{width}}" for (_, value), width in zip(self._cells(), widths))
        return f"{self.what}\n" + "\n".join("  ".join(line) for line in lines)

    def _repr_html_(self) -> str:
        if not self.n:
            return f"<p>{self.what}: no record has one</p>"
        names = "".join(f'<th scope="col">{name}</th>' for name, _ in self._cells())
        values = "".join(f"<td>{value}</td>" for _, value in self._cells())
        return (f"<table><caption>{self.what}</caption><thead><tr>{names}</tr></thead>"
                f"<tbody><tr>{values}</tr></tbody></table>")


def _samples(samples) -> np.ndarray:
    samples = np.asarray(samples, float)
    if samples.ndim != 1 or not len(samples):
        raise ValueError(f"samples: shape {samples.shape} is not a list of at least one number")
    return samples


def _fraction(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise ValueError(f"{name}: {value!r} is not between 0 and 1")
