"""Statistics against exact results: known distributions, known formulas, coverage of intervals."""

import numpy as np
import pytest

from simulator.evidence.history import History
from simulator.evidence.statistics import (Latency, bands, batch_means, empirical_cdf, mean_interval, quantile,
                                           time_average, weighted_mean)


@pytest.mark.parametrize("p", [0.5, 0.9, 0.99])
def test_quantile_intervals_hold_the_truth_as_often_as_they_say(p):
    """Over 1,000 samples of an exponential, a 95 % interval holds -ln(1 - p) at least 95 % of the time."""
    generator, truth = np.random.default_rng(1), -np.log(1 - p)
    hits = sum(truth in quantile(generator.exponential(size=500), p) for _ in range(1000))
    assert 0.95 - 3 * np.sqrt(0.95 * 0.05 / 1000) < hits / 1000 < 0.99


def test_quantile_interval_of_ten_samples_from_tables():
    """The median of 10 lies between the 2nd and the 9th: 1 - 2 * (1 + 10) / 1024 = 97.9 %."""
    estimate = quantile(np.arange(1, 11), 0.5)
    assert (estimate.value, estimate.low, estimate.high) == (5.5, 2, 9)


def test_too_few_samples_give_no_bound():
    assert quantile(np.arange(10), 0.999).high == np.inf
    assert quantile([3.0], 0.5).low == -np.inf


def test_mean_interval_is_students():
    """1, 2, 3: mean 2, s = 1, t(2, 97.5 %) = 4.302653 over the root of 3."""
    estimate = mean_interval([1, 2, 3])
    assert estimate.value == 2 and estimate.half_width == pytest.approx(4.302653 / np.sqrt(3), rel=1e-6)


def test_one_replication_says_nothing_about_the_mean():
    assert mean_interval([5.0]).high == np.inf


def autoregressive(generator, n: int, phi: float) -> np.ndarray:
    """A series around 10 in which every value remembers `phi` of the one before."""
    series, level = np.empty(n), generator.normal() / np.sqrt(1 - phi**2)
    for i, noise in enumerate(generator.normal(size=n)):
        level = phi * level + noise
        series[i] = 10 + level
    return series


def test_batch_means_are_honest_where_a_plain_interval_is_not():
    generator = np.random.default_rng(2)
    runs = [autoregressive(generator, 4000, 0.9) for _ in range(200)]
    honest = sum(10 in batch_means(series) for series in runs) / 200
    naive = sum(10 in mean_interval(series) for series in runs) / 200
    assert honest > 0.88 and naive < 0.5


def test_batch_means_of_a_known_series():
    """Means of the four batches of 0..7 are 0.5, 2.5, 4.5 and 6.5."""
    expected = mean_interval([0.5, 2.5, 4.5, 6.5])
    assert batch_means(range(8), batches=4, warm_up=0) == expected
    assert batch_means([100.0, *range(8)], batches=4, warm_up=0.12) == expected


def test_bands_are_intervals_point_by_point():
    result = bands([[1, 10], [2, 20], [3, 30]])
    assert result.mean.tolist() == [2, 20]
    assert result.high[0] == mean_interval([1, 2, 3]).high and result.low[1] == mean_interval([10, 20, 30]).low


def test_cdf_is_exact_for_few_samples():
    x, y = empirical_cdf([3, 1, 2, 2])
    assert x.tolist() == [1, 2, 3] and y.tolist() == [0.25, 0.75, 1]


def test_a_thinned_cdf_is_the_cdf_at_fewer_places_and_keeps_its_tail():
    samples = np.random.default_rng(3).exponential(size=100_000)
    x, y = empirical_cdf(samples, points=200)
    ordered = np.sort(samples)
    assert len(x) <= 200 and x[-1] == ordered[-1] and y[-1] == 1
    assert np.array_equal(y, np.searchsorted(ordered, x, "right") / len(ordered))
    assert np.count_nonzero(y > 0.999) > 20


def test_time_average_of_a_staircase():
    """0 for 1 s, 4 for 2 s, 1 for 1 s: (0 + 8 + 1) / 4."""
    assert time_average([0, 1, 3], [0, 4, 1], until=4) == 2.25
    assert weighted_mean([0, 4, 1], [1, 2, 1]) == 2.25


def test_latency_sums_up_in_milliseconds():
    latency = Latency(np.arange(1, 1001) / 1000, "produce")
    assert latency.n == 1000 and latency.mean == pytest.approx(0.5005) and latency.p50 == pytest.approx(0.5005)
    assert latency.p999 == pytest.approx(np.quantile(np.arange(1, 1001), 0.999) / 1000)
    assert repr(latency).startswith("produce\n") and "500.5 ms" in repr(latency)
    assert "p99.9" in latency._repr_html_()
    assert latency.p99 in latency.quantile(0.99)


def test_latency_of_nothing_says_so():
    assert "no record" in repr(Latency([])) and "no record" in Latency([])._repr_html_()


@pytest.mark.parametrize("call, message", [
    (lambda: quantile([], 0.5), "samples"), (lambda: quantile([1], 1.5), "p: 1.5"),
    (lambda: quantile([1], 0.5, 2), "confidence: 2"),
    (lambda: batch_means([1, 2, 3], batches=9), "batches: 9"), (lambda: batch_means([1, 2], warm_up=1), "warm_up: 1"),
    (lambda: bands([1, 2]), "samples: shape"), (lambda: empirical_cdf([1], points=1), "points: 1"),
    (lambda: time_average([0, 1], [1], 2), "levels"), (lambda: time_average([1, 0], [1, 2], 3), "times"),
    (lambda: weighted_mean([1], [0]), "weights")])
def test_nonsense_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("far", [0, 10**12])
def test_end_to_end_latency_counts_a_record_once_however_often_it_is_delivered(far):
    history = History()
    for value in range(3):
        history.send("p", "k", far + value, value, time=1.0, invoked=0.0)
    for time in (2.0, 5.0):
        history.poll("c", {"k": [(value, far + value) for value in range(3)]}, time=time, invoked=0.0)
    assert history.latencies("end_to_end").tolist() == [2.0, 2.0, 2.0]
