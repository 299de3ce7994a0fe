"""Sagas: how often they go back, how long they are open, and what the wrong ones leave standing."""
from math import sqrt

import numpy as np
import pytest

from simulator import Workload, faults, simulate, theory
from simulator.kernel.network import NetworkProfile
from simulator.patterns import Saga

SAGAS = Workload(rate=10, keys=None, seconds=60)
NAMES = ("stock", "payment", "shipping", "loyalty", "invoice", "mail")
INSTANT = NetworkProfile.instant()


def found(run, kind: str) -> int:
    return run.report.verdicts[kind].records


@pytest.mark.parametrize("steps, failure", [(2, 0.1), (4, 0.05), (6, 0.02), (6, 0.2)])
def test_compensations_and_wasted_steps_are_as_computed(steps, failure):
    workload = Workload(rate=40, keys=None, seconds=50)
    run = simulate(Saga(NAMES[:steps], failure=failure, step=0.01, network=INSTANT), workload, seed=7)
    n = len(run.history.transactions)
    expected = theory.saga_compensated(*[failure] * steps)
    counts = run.meters.counts
    assert counts["completed"] + counts["compensated"] == n and run.check().ok
    assert counts["compensated"] / n == pytest.approx(expected, abs=3.5 * sqrt(expected * (1 - expected) / n))
    wasted = len(run.trace.where("undone")) / n
    assert wasted == pytest.approx(theory.saga_wasted(*[failure] * steps), abs=4 * steps * sqrt(expected / n) / 2)


def test_nothing_is_undone_after_the_pivot():
    run = simulate(Saga(failure=0.2, pivot=2), SAGAS, seed=7)
    n = len(run.history.transactions)
    expected = theory.saga_compensated(0.2, 0.2)
    share = run.meters.counts["compensated"] / n
    assert share == pytest.approx(expected, abs=3.5 * sqrt(expected * (1 - expected) / n))
    undone = run.trace.events.rows["key"][run.trace.where("undone")]
    assert {run.trace.keys[key] for key in undone} == {"stock"}


def test_open_sagas_are_rate_times_duration():
    run = simulate(Saga(failure=0.0), SAGAS, seed=7)
    rows = run.history.transactions.rows
    mean = np.mean(rows["completed"] - rows["began"])
    assert run.meters.integrals["open sagas"] == pytest.approx(theory.little(len(rows), mean), rel=1e-9)
    assert mean == pytest.approx(4 * 0.1, rel=0.15)


@pytest.mark.parametrize("settings", [{}, {"pivot": 2}, {"failure": 0.3}], ids=str)
def test_a_durable_orchestrator_may_crash_at_any_moment(settings):
    for at in np.arange(2.0, 3.0, 0.05):
        run = simulate(Saga(**settings), Workload(rate=10, keys=None, seconds=5),
                       faults=[faults.crash("orchestrator", at=float(at), lasts=0.5)], seed=7)
        assert run.check().ok and run.system.durable, at


def test_services_may_crash_or_stand_still():
    trouble = [faults.crash("payment", at=10, lasts=8), faults.pause("shipping", at=30, lasts=12)]
    for settings in ({}, {"pivot": 2}):
        run = simulate(Saga(**settings), SAGAS, faults=trouble, seed=7)
        assert run.check().ok and len(run.trace.where("timeout")) > 20


def test_an_orchestrator_without_a_memory_leaves_sagas_half_done():
    run = simulate(Saga(durable=False), SAGAS, faults=[faults.crash("orchestrator", at=30, lasts=1)], seed=7, settle=10)
    assert run.check().broken == ["torn transaction"] and 1 <= found(run, "torn transaction") <= 20


def test_compensating_only_what_was_confirmed_leaks_the_step_in_doubt():
    """The service that stood still does its step after the saga was given up."""
    trouble = [faults.pause("payment", at=30, lasts=10)]
    leaky, sound = (simulate(Saga(compensate=which), SAGAS, faults=trouble, seed=7)
                    for which in ("confirmed", "started"))
    assert leaky.check().broken == ["aborted read"] and found(leaky, "aborted read") > 20
    assert sound.check().ok and len(sound.trace.where("nothing_to_undo")) + len(sound.trace.where("undone")) > 20


def test_without_a_key_a_command_that_comes_again_is_done_again():
    trouble = [faults.crash("orchestrator", at=30, lasts=1)]
    run = simulate(Saga(idempotent=False), SAGAS, faults=trouble, seed=7)
    assert "duplicate" in run.check().broken


@pytest.mark.parametrize("make, words", [
    (lambda: Saga(services=()), "services: "), (lambda: Saga(services=("a", "a")), "services: "),
    (lambda: Saga(failure=1.5), "failure: 1.5"), (lambda: Saga(pivot=9), "pivot: 9"),
    (lambda: Saga(compensate="none"), "compensate: 'none'"), (lambda: Saga(timeout=0), "timeout: 0"),
])
def test_nonsense_is_refused_by_name(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_the_formulas():
    assert theory.saga_compensated(0.1) == pytest.approx(0.1) and theory.saga_compensated(0.5, 0.5) == 0.75
    assert theory.saga_wasted(0.1) == 0 and theory.saga_wasted(0.5, 0.5) == 0.25
    assert theory.inconsistent(0, 10) == 0 and theory.inconsistent(0.005, 3600) == pytest.approx(0.005 / 3600, rel=1e-5)
    assert theory.overtaken(100, 0.001) == pytest.approx(0.1, rel=0.05)
    with pytest.raises(ValueError, match="step 2: 2 is not a probability"):
        theory.saga_compensated(0.1, 2)
