"""Chapter 12d: sagas left half, how often they go back, how long they are open, and the step in doubt.

Everything here reads recorded evidence; how sagas work is in `simulator/patterns/saga.py`, and nowhere else.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from simulator import Workload, distributions, faults, simulate, theory
from simulator.patterns import Saga
from simulator.views import style
from simulator.views.picture import Picture, sentence

from .curves import SEED, finish, marks, panels, theory_line

NAMES = ("stock", "payment", "shipping", "loyalty", "invoice", "mail", "survey", "archive")
ORDERS = Workload(rate=5, keys=None, seconds=10)
KINDS = ("torn transaction", "aborted read", "duplicate")


def broken(run) -> int:
    """Steps that should not stand, or that are missing, when all is over."""
    return sum(run.report.verdicts[kind].records for kind in KINDS)


@cache
def forgetful(durable: bool = False):
    """The orchestrator is killed in the middle of its work, and comes back with its sagas or without."""
    return simulate(Saga(durable=durable), ORDERS, faults=[faults.crash("orchestrator", at=5, lasts=1)],
                    seed=SEED, settle=10)


@cache
def without_a_key():
    """The orchestrator remembers and repeats its command; the services do not know it again."""
    return simulate(Saga(idempotent=False), ORDERS, faults=[faults.crash("orchestrator", at=5, lasts=1)], seed=SEED)


@cache
def in_doubt(compensate: str = "confirmed"):
    """Payment stands still for longer than the timeout, then does what it was asked to do."""
    return simulate(Saga(compensate=compensate, timeout=2.0), ORDERS,
                    faults=[faults.pause("payment", at=5, lasts=4)], seed=SEED)


def compensations(steps: int = 4, failure: float = 0.05) -> Picture:
    """How many sagas are undone, against the number of steps, and what they did in vain."""
    workload, counts = Workload(rate=20, keys=None, seconds=20), range(1, len(NAMES) + 1)
    run = simulate(Saga(NAMES[:steps], failure=failure, step=0.02), workload, seed=SEED)
    n = len(run.history.transactions)
    share, wasted = 100 * run.meters.counts["compensated"] / n, len(run.trace.where("undone")) / n
    title = f"{steps} steps that fail in {100 * failure:.3g} % of cases: {share:.1f} % of sagas are undone"
    expected, in_vain = 100 * theory.saga_compensated(*[failure] * steps), theory.saga_wasted(*[failure] * steps)
    caption = sentence(f"{n} sagas. Left: undone, measured {share:.1f} %, computed {expected:.1f} % = 1 - (1 - "
                       f"p)^steps. Right: steps done and undone again, per saga: measured {wasted:.2f}, computed "
                       f"{in_vain:.2f}. Dashed: theory; circle: this run.", SEED)
    figure, (left, right) = panels(title, caption, 2)
    theory_line(left, counts, [100 * theory.saga_compensated(*[failure] * count) for count in counts])
    theory_line(right, counts, [theory.saga_wasted(*[failure] * count) for count in counts])
    marks(left, {"measured": ([steps], [share])})
    marks(right, {"measured": ([steps], [wasted])})
    finish(left, "steps", "", "% of sagas undone")
    finish(right, "steps", "", "steps done in vain, per saga", legend=False)
    return figure


def undone(steps: int, failure: float) -> float:
    """The share of sagas that are undone, in percent, by theory."""
    return 100 * theory.saga_compensated(*[failure] * steps)


STEP_TIMES = (0.05, 0.1, 0.2, 0.4, 0.8)


def open_for(rate: float = 5.0) -> Picture:
    """How long orders are pending, and how many are at any moment, against the time that a step takes."""
    runs = [_steady(step, rate) for step in STEP_TIMES]
    waits = [float(np.mean(rows["completed"] - rows["began"]))
             for rows in (run.history.transactions.rows for run in runs)]
    levels = [run.meters.integrals["open sagas"] / run.workload.seconds for run in runs]
    title = (f"Four steps of {style.seconds(STEP_TIMES[-1])}: an order is pending for {style.seconds(waits[-1])}, "
             f"{levels[-1]:.0f} of them at any moment")
    told = ", ".join(f"{step:g} s: {wait:.2f} s and {level:.1f}"
                     for step, wait, level in zip(STEP_TIMES, waits, levels))
    caption = sentence(f"Step time: mean time from the first command to the end, and mean number open ({told}); "
                       f"{rate:g} sagas/s, no refusals. Dashed: four steps; rate x time (Little).", SEED)
    figure, (left, right) = panels(title, caption, 2)
    theory_line(left, STEP_TIMES, [4 * step for step in STEP_TIMES])
    theory_line(right, STEP_TIMES, [theory.little(rate, 4 * step) for step in STEP_TIMES])
    marks(left, {"measured": (STEP_TIMES, waits)})
    marks(right, {"measured": (STEP_TIMES, levels)})
    finish(left, "seconds a step", "", "seconds pending")
    finish(right, "seconds a step", "", "open sagas", legend=False)
    return figure


@cache
def _steady(step: float, rate: float = 5.0, pivot: int | None = None):
    workload = Workload(rate=rate, keys=None, seconds=60)
    return simulate(Saga(failure=0.0, step=distributions.Exponential(step), pivot=pivot), workload,
                    seed=SEED, trace=False)


def orders_of_steps(failure: float = 0.2):
    """The same four services in two orders: what is undone in each (pandas)."""
    import pandas as pd
    plans = {"pay, reserve, ship, points": (("payment", "stock", "shipping", "loyalty"), None),
             "reserve, pay (pivot), ship, points": (("stock", "payment", "shipping", "loyalty"), 2)}
    rows = []
    for name, (services, pivot) in plans.items():
        run = simulate(Saga(services, failure=failure, pivot=pivot, step=0.02),
                       Workload(rate=20, keys=None, seconds=30), seed=SEED)
        keys = run.trace.events.rows["key"][run.trace.where("undone")]
        refunds = int((keys == run.trace.keys.code("payment")).sum())
        rows.append((name, len(run.history.transactions), int(run.meters.counts["compensated"]), refunds))
    return pd.DataFrame(rows, columns=["order of steps", "sagas", "undone", "refunds"])
