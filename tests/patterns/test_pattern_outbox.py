"""Dual write and outbox: what a crash costs either, held to the formulas."""
from math import exp, sqrt

import numpy as np
import pytest

from simulator import Workload, distributions, faults, simulate, theory
from simulator.kernel.network import NetworkProfile
from simulator.patterns import DualWrite, Outbox, crashes

ORDERS = Workload(rate=100, keys=None, seconds=60)
INSTANT = NetworkProfile.instant()


def found(run, kind: str) -> int:
    return run.report.verdicts[kind].records


def published(run) -> list[int]:
    rows = run.history.polls.rows
    return rows["value"][rows["process"] == run.history.processes.names.index("subscriber")].tolist()


# Dual write

@pytest.mark.parametrize("window, every", [(0.05, 5.0), (0.1, 10.0)])
def test_a_dual_write_loses_what_is_in_its_window_when_the_service_crashes(window, every):
    """Each crash loses the orders committed in the window before it: Poisson, so within three standard deviations."""
    workload = Workload(rate=100, keys=None, seconds=400)
    trouble = crashes("service-1", every, workload.seconds)
    run = simulate(DualWrite(gap=window, network=INSTANT), workload, faults=trouble, seed=7, trace=False)
    expected = len(run.history.acknowledged()) * theory.inconsistent(window, every)
    assert len(trouble) > 25
    assert found(run, "lost write") == pytest.approx(expected,
                                                     abs=3 * sqrt(expected + workload.rate * window * len(trouble)))
    assert found(run, "aborted read") == 0


def test_publishing_first_announces_what_was_never_committed():
    run = simulate(DualWrite(first="publish", gap=0.1), ORDERS,
                   faults=[faults.crash("service-1", at=30, lasts=1)], seed=7)
    assert found(run, "lost write") == 0 and 3 <= found(run, "aborted read") <= 25


def test_a_rollback_after_publishing_needs_no_crash():
    run = simulate(DualWrite(first="publish", rollback=0.1), ORDERS, seed=7)
    failed = (run.history.sends.rows["type"] == 1).sum()
    assert found(run, "aborted read") == failed == pytest.approx(600, rel=0.2)
    assert simulate(DualWrite(rollback=0.1), ORDERS, seed=7).check().ok


def test_without_a_fault_both_tell_the_same():
    for system in (DualWrite(), DualWrite(first="publish"), Outbox(), Outbox(relay="cdc")):
        run = simulate(system, ORDERS, seed=7)
        assert run.check().ok and sorted(published(run)) == list(range(len(run.history.sends))), system


def test_a_broker_that_is_away_costs_a_dual_write_its_orders_and_an_outbox_a_wait():
    trouble = [faults.crash("broker", at=30, lasts=5)]
    assert found(simulate(DualWrite(), ORDERS, faults=trouble, seed=7, settle=5),
                 "lost write") == pytest.approx(500, rel=0.15)
    for relay in ("polling", "cdc"):
        assert found(simulate(Outbox(relay=relay), ORDERS, faults=trouble, seed=7), "lost write") == 0


# The outbox

@pytest.mark.parametrize("interval", [0.1, 0.5, 2.0])
def test_an_order_waits_half_an_interval_and_a_query(interval):
    run = simulate(Outbox(interval=interval, query=0.002, batch=1_000, network=INSTANT), ORDERS, seed=7, trace=False)
    waited = run.history.latencies("end_to_end") - 0.001 - 0.002  # the transaction and the query
    n = len(waited)
    assert waited.mean() == pytest.approx(theory.tick_delay(interval), abs=4 * interval / sqrt(12 * n))
    assert np.quantile(waited, 0.99) == pytest.approx(theory.tick_delay_quantile(interval, 0.99), abs=0.02 * interval)


@pytest.mark.parametrize("interval", [0.005, 0.02, 0.2])
def test_the_database_pays_for_every_poll_and_for_every_batch(interval):
    run = simulate(Outbox(interval=interval, query=0.0, network=INSTANT), ORDERS, seed=7, trace=False)
    a_second = run.meters.counts["queries"] / run.seconds
    busy = run.workload.seconds / run.seconds
    assert a_second == pytest.approx((1 + busy * (1 - exp(-ORDERS.rate * interval))) / interval, rel=0.05)


def test_change_data_capture_waits_for_nobody_and_asks_nothing():
    run = simulate(Outbox(relay="cdc", network=INSTANT), ORDERS, seed=7, trace=False)
    assert run.end_to_end.mean == pytest.approx(0.001, abs=1e-6) and run.meters.counts["queries"] == 0


@pytest.mark.parametrize("relay, settings", [("polling", {}), ("polling", {"batch": 7}), ("cdc", {})])
def test_a_relay_that_crashes_anywhere_loses_nothing_and_repeats_a_batch_at_most(relay, settings):
    """Crashes at every millisecond around a tick: some must hit, and none may cost more than the batch in hand."""
    repeated = []
    for at in np.arange(2.0, 2.01, 0.0005):
        run = simulate(Outbox(relay=relay, **settings), Workload(rate=100, keys=None, seconds=5),
                       faults=[faults.crash("relay-1", at=float(at), lasts=0.3)], seed=7)
        assert run.check().ok, at
        repeated.append(found(run, "duplicate"))
    limit = settings.get("batch", 100)
    assert 0 < max(repeated) <= limit if relay == "polling" else 0 < max(repeated) <= 100 * 0.5 * 1.4


def test_marking_first_loses_the_batch():
    trouble = [faults.crash("relay-1", at=30.0022, lasts=1)]
    run = simulate(Outbox(mark="before"), ORDERS, faults=trouble, seed=7)
    assert 20 < found(run, "lost write") <= 100 and found(run, "duplicate") == 0


# The cursor

def test_a_cursor_on_row_numbers_loses_what_commits_late_without_any_fault():
    """Equal transactions commit in the order of their numbers; unequal ones do not."""
    for transaction, loses in ((0.1, False), (distributions.Exponential(0.1), True)):
        run = simulate(Outbox(cursor="position", interval=0.1, transaction=transaction), ORDERS, seed=7)
        assert (found(run, "lost write") > 100) == loses
        assert found(run,
                     "lost write") == len(set(run.trace.events.rows["value"][run.trace.where("overtaken")].tolist()))
        assert simulate(Outbox(interval=0.1, transaction=transaction), ORDERS, seed=7).check().ok


@pytest.mark.parametrize("make, words", [
    (lambda: Outbox(interval=0), "interval: 0"), (lambda: Outbox(batch=0), "batch: 0"),
    (lambda: Outbox(relay="kafka"), "relay: 'kafka'"), (lambda: Outbox(cursor="created_at"), "cursor: 'created_at'"),
    (lambda: DualWrite(first="both"), "first: 'both'"), (lambda: DualWrite(gap=-1), "gap: -1"),
    (lambda: Outbox(rollback=2), "rollback: 2"), (lambda: Outbox(network="fast"), "network: 'fast'"),
])
def test_nonsense_is_refused_by_name(make, words):
    with pytest.raises(ValueError, match=words):
        make()
