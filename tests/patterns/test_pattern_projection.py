"""Projections and event stores: lag against load, what a crash does to a checkpoint, and two writers on one past."""
from math import sqrt

import numpy as np
import pytest

from simulator import Workload, distributions, faults, simulate, theory
from simulator.kernel.network import NetworkProfile
from simulator.patterns import EventStore, Projection

INSTANT = NetworkProfile.instant()


def found(run, kind: str) -> int:
    return run.report.verdicts[kind].records


def lag(run) -> np.ndarray:
    """Seconds from an event's storage until the read model has it."""
    return run.history.latencies("end_to_end")


@pytest.mark.parametrize("rate", [50, 80])
@pytest.mark.parametrize("work, wait",
                         [(distributions.Fixed(0.01), theory.md1_wait),
                          (distributions.Exponential(0.01), theory.mm1_wait)])
def test_lag_is_that_of_a_queue(rate, work, wait):
    workload = Workload(rate=rate, keys=None, seconds=120, work=work)
    runs = [simulate(Projection(network=INSTANT), workload, seed=seed, trace=False) for seed in range(5)]
    means = [lag(run).mean() for run in runs]
    error = np.std(means, ddof=1) / sqrt(len(means))
    assert np.mean(means) == pytest.approx(wait(rate, 100) + 0.01, abs=max(4 * error, 0.03 * np.mean(means)))


def test_an_outage_is_worked_off_as_computed():
    workload = Workload(rate=50, keys=None, seconds=120, work=0.01)
    run = simulate(Projection(network=INSTANT), workload, faults=[faults.crash("projector", at=30, lasts=20)], seed=7)
    created, seconds = run.history.created[0], lag(run)
    level = created[np.flatnonzero(seconds > 0.5)[-1]]
    assert level - 50 == pytest.approx(theory.catch_up_time(50, 100, 20), rel=0.1)


@pytest.mark.parametrize("checkpoint, broken", [("with", []), ("before", ["lost write"]), ("after", ["duplicate"])])
def test_only_a_checkpoint_with_the_state_counts_every_event_once(checkpoint, broken):
    workload, wrong = Workload(rate=20, keys=None, seconds=12, work=0.02), []
    for at in np.arange(5.0, 5.2, 0.01):
        run = simulate(Projection(checkpoint, between=0.02), workload,
                       faults=[faults.crash("projector", at=float(at), lasts=0.5)], seed=7)
        wrong += run.check().broken
    assert sorted(set(wrong)) == broken and len(wrong) < 20


# Event stores

@pytest.mark.parametrize("rate", [20, 100])
def test_conflicts_are_as_frequent_as_somebody_else_in_the_window(rate):
    """From the look at the store to the append: here the fold of a snapshot's tail, since the network takes no time."""
    workload = Workload(rate=rate, keys=None, seconds=100)
    run = simulate(EventStore(writers=8, snapshot_every=1, fold=0.0, network=NetworkProfile(same_zone=0.001)),
                   workload, seed=7)
    tries, conflicts = run.meters.counts["loads"], run.meters.counts["conflicts"]
    assert conflicts / tries == pytest.approx(theory.overtaken(rate, 0.002), rel=0.25) and run.check().ok
    assert len(run.history.acknowledged()) == len(run.history.sends)


@pytest.mark.parametrize("every", [10, 100])
def test_a_snapshot_bounds_what_is_folded(every):
    run = simulate(EventStore(snapshot_every=every, fold=0.0), Workload(rate=50, keys=None, seconds=60),
                   seed=7, trace=False)
    assert run.meters.counts["events loaded"] / run.meters.counts["loads"] == pytest.approx((every - 1) / 2, rel=0.1)


def test_without_an_expected_version_two_writers_spend_the_same_money():
    workload = Workload(rate=50, keys=None, seconds=5)
    wrong, right = (simulate(EventStore(expected_version=version, deposit=20, fold=0.001, writers=4), workload, seed=7)
                    for version in (False, True))
    assert wrong.meters.counts["overdrawn"] >= 1 and right.meters.counts["overdrawn"] == 0
    assert len(right.history.acknowledged()) == 20 < len(wrong.history.acknowledged())


@pytest.mark.parametrize("make, words", [
    (lambda: Projection("never"), "checkpoint: 'never'"), (lambda: Projection(between=-1), "between: -1"),
    (lambda: EventStore(writers=0), "writers: 0"),
    (lambda: EventStore(expected_version="yes"), "expected_version: 'yes'"),
])
def test_nonsense_is_refused_by_name(make, words):
    with pytest.raises(ValueError, match=words):
        make()
