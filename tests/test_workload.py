"""What the business asks for: arrivals, keys, and what is refused."""
from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest

from simulator.kernel.distributions import Exponential, Fixed
from simulator.kernel.streams import Stream
from simulator.workload import Workload


def arrivals(seed=7, **settings):
    return Workload(**settings).arrival_times(Stream(seed, "workload/arrivals"))


def test_even_arrivals_are_a_metronome():
    assert arrivals(rate=4, seconds=1.5, arrivals="even").tolist() == [0.25, 0.5, 0.75, 1.0, 1.25, 1.5]


@pytest.mark.parametrize("rate, seconds, count", [(0.29, 100, 29), (0.1, 30, 3), (1.1, 10, 11), (100, 0.57, 57)])
def test_even_arrivals_are_counted_in_spite_of_rounding(rate, seconds, count):
    assert len(arrivals(rate=rate, seconds=seconds, arrivals="even")) == count


def test_poisson_arrivals_come_at_the_rate_and_independently():
    times = arrivals(rate=1000, seconds=100)
    gaps = np.diff(times)
    assert len(times) == pytest.approx(100_000, abs=5 * 100_000 ** 0.5)
    assert gaps.std() == pytest.approx(gaps.mean(),
                                       rel=0.02), "the standard deviation of an exponential gap is its mean"
    assert abs(np.corrcoef(gaps[:-1], gaps[1:])[0, 1]) < 0.02


@pytest.mark.parametrize("kind", ["poisson", "even"])
def test_arrivals_are_in_order_and_within_the_time(kind):
    times = arrivals(rate=500, seconds=3, arrivals=kind)
    assert (np.diff(times) >= 0).all() and 0 < times[0] and times[-1] <= 3


@pytest.mark.parametrize("rate, seconds", [(0.01, 1), (1, 0.5), (0.5, 2)])
def test_few_or_no_arrivals_are_fine(rate, seconds):
    assert all(len(arrivals(seed, rate=rate, seconds=seconds)) < 10 for seed in range(50))


def test_a_longer_run_begins_like_a_shorter_one():
    short, long = arrivals(rate=100, seconds=10), arrivals(rate=100, seconds=20)
    assert long[:len(short)].tolist() == short.tolist()


def test_records_without_keys_have_none():
    assert Workload(keys=None).record_keys(Stream(7, "k"), 10) is None


def test_keys_are_equally_frequent_without_skew():
    keys = Workload(keys=10).record_keys(Stream(7, "k"), 100_000)
    assert np.bincount(keys, minlength=10) == pytest.approx([10_000] * 10, rel=0.05)


def test_the_kth_key_is_rarer_by_its_rank_to_the_power_of_the_skew():
    counts = np.bincount(Workload(keys=100, skew=1.0).record_keys(Stream(7, "k"), 400_000), minlength=100)
    assert len(counts) == 100
    assert counts[0] / counts[[1, 3, 9]] == pytest.approx([2, 4, 10], rel=0.05)


def test_work_may_be_a_number_or_a_distribution():
    assert Workload(work=0.002).work == Fixed(0.002)
    assert Workload(work=Exponential(0.002)).work == Exponential(0.002)


REFUSED = {
    "rate": [0, -1, nan, inf, "fast", None, True],
    "record_bytes": [0, -1, 1.5, "1 kB", None, True],
    "keys": [0, -1, 2.5, "many", True],
    "seconds": [0, -1, nan, inf, "a minute", None],
    "arrivals": ["bursty", "", None, 1],
    "skew": [-0.1, nan, inf, "zipf", None],
    "consumers": [-1, 1.5, "two", None, True],
    "work": [-0.001, nan, inf, "2 ms", None, True],
}


def test_every_field_is_tried_below():
    assert set(REFUSED) == set(Workload.__dataclass_fields__)


@pytest.mark.parametrize("field, value", [(field, value) for field, values in REFUSED.items() for value in values])
def test_nonsense_is_refused_with_field_value_and_what_is_allowed(field, value):
    with pytest.raises(ValueError,
                       match=rf"^{field}: {value!r} is not (allowed; it must be .+|a number of seconds .+)$"):
        Workload(**{field: value})


@pytest.mark.parametrize("field, values",
                         {"rate": np.arange(1000, 3000, 1000), "seconds": np.linspace(1, 2, 2), "keys": np.arange(1, 3),
                                           "consumers": np.arange(2), "record_bytes": np.array([10, 20])}.items())
def test_numbers_from_numpy_are_numbers(field, values):
    for value in values:
        assert getattr(replace(Workload(), **{field: value}), field) == value
