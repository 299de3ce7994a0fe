"""The work queue against queueing theory: no network latency, prefetch 1, so that worker and queue form M/G/1 or M/M/c.

Tolerances are four standard deviations of one run of 100,000 messages (10,000 more are dropped as warm-up). For M/M/1
the deviation is known from many runs; elsewhere it is estimated from the run itself, by batch means.
"""

from functools import cache

import numpy as np
import pytest

from simulator import theory
from simulator.brokers.workqueue import WorkQueue
from simulator.experiment import simulate
from simulator.kernel.distributions import Distribution, Exponential, Fixed
from simulator.kernel.network import NetworkProfile
from simulator.workload import Workload

MESSAGES, WARM_UP, SIGMAS = 110_000, 10_000, 4
SERVICE_RATE = 1000.0
MEAN = 1 / SERVICE_RATE


class QuickOrLong(Distribution):
    """Nine messages in ten take a third of the mean, the tenth takes seven times the mean: cv² is 4."""

    def quantile(self, p):
        return np.where(np.asarray(p) < 0.9, MEAN / 3, 7 * MEAN)


class Times:
    """When each message of a run was made, begun and done, in seconds, and the run itself."""

    def __init__(self, run):
        self.run = run
        history = run.history
        self.made = history.created[0]
        self.begun = self._by_message(history.deliveries.rows)
        self.done = self._by_message(history.settlements.rows)

    def _by_message(self, rows):
        times = np.full(len(self.made), np.nan)
        times[rows["value"]] = rows["time"]
        return times

    @property
    def waits(self):
        return (self.begun - self.made)[WARM_UP:]

    @property
    def sojourns(self):
        return (self.done - self.made)[WARM_UP:]


@cache
def queue(rho: float, work: Distribution, servers: int = 1, seed: int = 1) -> Times:
    rate = rho * servers * SERVICE_RATE
    workload = Workload(rate=rate, seconds=MESSAGES / rate, consumers=servers, work=work)
    system = WorkQueue(prefetch=1, confirms=False, network=NetworkProfile.instant())
    return Times(simulate(system, workload, seed=seed, trace=False))


def standard_error(values: np.ndarray, batches: int = 25) -> float:
    """Of the mean of correlated values: long batches are as good as independent."""
    means = [batch.mean() for batch in np.array_split(values, batches)]
    return np.std(means, ddof=1) / batches ** 0.5


def mean_agrees(values: np.ndarray, expected: float, at_most: float = 0.06) -> bool:
    """Whether the mean is within four standard errors, and the errors small enough for that to mean something."""
    error = standard_error(values)
    assert error < at_most * expected
    return abs(values.mean() - expected) < SIGMAS * error


EXPONENTIAL = Exponential(MEAN)
LONG_NOW_AND_THEN = QuickOrLong()
EVERY_QUEUE = [(.5, EXPONENTIAL, 1), (.8, EXPONENTIAL, 1), (.8, Fixed(MEAN), 1), (.5, LONG_NOW_AND_THEN, 1),
               (.8, LONG_NOW_AND_THEN, 1), (.5, EXPONENTIAL, 2), (.8, EXPONENTIAL, 4)]


@pytest.mark.parametrize("rho, deviation", [(.5, .019), (.8, .039)])
def test_mm1_mean_wait(rho, deviation):
    expected = theory.mm1_wait(rho * SERVICE_RATE, SERVICE_RATE)
    assert queue(rho, EXPONENTIAL).waits.mean() == pytest.approx(expected, rel=SIGMAS * deviation)


@pytest.mark.parametrize("rho, deviation", [(.5, .026), (.8, .067)])
def test_mm1_p99_sojourn(rho, deviation):
    expected = theory.mm1_sojourn_quantile(rho * SERVICE_RATE, SERVICE_RATE, .99)
    assert np.quantile(queue(rho, EXPONENTIAL).sojourns, .99) == pytest.approx(expected, rel=SIGMAS * deviation)


def test_md1_waits_half_as_long():
    assert mean_agrees(queue(.8, Fixed(MEAN)).waits, theory.md1_wait(.8 * SERVICE_RATE, SERVICE_RATE))


@pytest.mark.parametrize("rho", [.5, .8])
def test_mg1_with_long_jobs_waits_two_and_a_half_times_as_long(rho):
    assert mean_agrees(queue(rho, LONG_NOW_AND_THEN).waits, theory.mg1_wait(rho * SERVICE_RATE, SERVICE_RATE, cv2=4))


@pytest.mark.parametrize("rho, servers", [(.5, 2), (.8, 4)])
def test_mmc(rho, servers):
    arrivals = rho * servers * SERVICE_RATE
    waits = queue(rho, EXPONENTIAL, servers).waits
    assert mean_agrees(waits, theory.mmc_wait(arrivals, SERVICE_RATE, servers))
    assert mean_agrees((waits > 1e-9).astype(float), theory.erlang_c(arrivals, SERVICE_RATE, servers))
    a_millisecond = theory.mmc_wait_tail(arrivals, SERVICE_RATE, servers, .001)
    assert mean_agrees((waits > .001).astype(float), a_millisecond)


@pytest.mark.parametrize("rho, work, servers", EVERY_QUEUE)
def test_littles_law_holds_exactly(rho, work, servers):
    """The level that the queue metered, against the times that clients saw."""
    times = queue(rho, work, servers)
    inside = times.run.meters.integrals["messages in the queue"]
    assert inside == pytest.approx((times.done - times.made).sum(), rel=1e-9)
    duration = times.done.max()
    assert inside / duration == pytest.approx(
        theory.little(len(times.made) / duration, (times.done - times.made).mean()), rel=1e-9)


@pytest.mark.parametrize("rho, servers", [(.8, 1), (.8, 4)])
def test_departures_are_poisson_too(rho, servers):
    """Burke: gaps between departures are exponential and do not remember each other."""
    gaps = np.diff(np.sort(queue(rho, EXPONENTIAL, servers).done[WARM_UP:]))
    n, rate = len(gaps), rho * servers * SERVICE_RATE
    assert gaps.mean() == pytest.approx(1 / rate, rel=SIGMAS / n ** .5)
    assert gaps.var() / gaps.mean() ** 2 == pytest.approx(1, abs=SIGMAS * (8 / n) ** .5)
    assert np.corrcoef(gaps[1:], gaps[:-1])[0, 1] == pytest.approx(0, abs=SIGMAS / n ** .5)


def test_departures_of_a_busy_server_with_constant_work_are_not_poisson():
    gaps = np.diff(queue(.8, Fixed(MEAN)).done[WARM_UP:])
    assert gaps.var() / gaps.mean() ** 2 < .5
