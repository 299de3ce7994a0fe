"""Durations: their quantiles, their means, and what is refused."""
import math

import numpy as np
import pytest

from simulator.kernel.distributions import BLOCK, Exponential, Fixed, Lognormal, Uniform, as_distribution
from simulator.kernel.streams import Stream

EXAMPLES = [Fixed(0.25), Uniform(0.1, 0.4), Exponential(0.01), Lognormal(0.001, 0.5),
            Lognormal(0.001, 0.8, floor=0.002)]


def stream():
    return Stream(7, "test")


@pytest.mark.parametrize("distribution", EXAMPLES, ids=repr)
def test_quantiles_never_fall_and_are_never_negative(distribution):
    durations = distribution.quantile(np.linspace(1e-9, 1 - 1e-9, 1001))
    assert (np.diff(durations) >= 0).all() and durations[0] >= 0


@pytest.mark.parametrize("distribution", EXAMPLES, ids=repr)
def test_the_mean_is_that_of_many_draws(distribution):
    draws = distribution.draws(stream(), 200_000)
    assert draws.mean() == pytest.approx(distribution.mean, abs=5 * draws.std() / len(draws) ** 0.5 + 1e-9)


@pytest.mark.parametrize("distribution", EXAMPLES, ids=repr)
def test_draws_are_whole_nanoseconds(distribution):
    draws = distribution.draws(stream(), 1000)
    assert (draws == np.round(draws, 9)).all()


@pytest.mark.parametrize("distribution", EXAMPLES, ids=repr)
def test_a_sampler_gives_the_same_draws_one_at_a_time(distribution):
    count = BLOCK + 5  # beyond the first block
    draw = distribution.sampler(stream())
    assert [draw() for _ in range(count)] == distribution.draws(stream(), count).tolist()


def test_the_median_of_each_is_known():
    medians = [float(distribution.quantile(0.5)) for distribution in EXAMPLES]
    assert medians == pytest.approx([0.25, 0.25, 0.01 * math.log(2), 0.001, 0.003])


@pytest.mark.parametrize("p50, p99, floor", [(0.0005, 0.0015, 0.0), (0.0268, 0.113, 0.01), (0.001, 0.001, 0.0)])
def test_a_lognormal_goes_through_published_percentiles(p50, p99, floor):
    latency = Lognormal.from_percentiles(p50, p99, floor)
    assert latency.quantile(np.array([0.5, 0.99])) == pytest.approx([p50, p99])
    assert latency.quantile(np.array([1e-12]))[0] >= floor


def test_a_number_is_a_fixed_duration():
    assert as_distribution("work", 2) == Fixed(2.0)
    assert as_distribution("work", Exponential(1.0)) == Exponential(1.0)


@pytest.mark.parametrize("value", [-1, math.inf, math.nan, True, "2 ms", None, [1]])
def test_what_is_no_duration_is_refused_by_the_fields_name(value):
    with pytest.raises(ValueError,
                       match=r"^work: .* is not a number of seconds \(at least 0\) or a distribution$") as refusal:
        as_distribution("work", value)
    assert repr(value) in str(refusal.value)


@pytest.mark.parametrize("make, field", [
    (lambda: Fixed(-0.1), "value"), (lambda: Fixed(math.nan), "value"), (lambda: Fixed("1"), "value"),
    (lambda: Uniform(-0.1, 1), "low"), (lambda: Uniform(2, 1), "low"), (lambda: Uniform(0, math.nan), "high"),
    (lambda: Uniform("0", 1), "low"), (lambda: Uniform(0, math.inf), "high"),
    (lambda: Exponential(0), "mean"), (lambda: Exponential(-1), "mean"), (lambda: Exponential(math.nan), "mean"),
    (lambda: Exponential("1"), "mean"), (lambda: Exponential(math.inf), "mean"),
    (lambda: Lognormal(0, 1), "median"), (lambda: Lognormal(1, -1), "sigma"), (lambda: Lognormal(1, 1, -1), "floor"),
    (lambda: Lognormal("1", 1), "median"), (lambda: Lognormal(1, math.nan), "sigma"),
    (lambda: Lognormal.from_percentiles(0.002, 0.001), "p99"),
    (lambda: Lognormal.from_percentiles(0.002, 0.003, 0.002), "p99"),
])
def test_impossible_parameters_are_refused_in_one_sentence(make, field):
    with pytest.raises(ValueError, match=rf"^{field}: .+ is not allowed; it must be .+"):
        make()
