"""Chapter 12c: what a crash between two writes costs, what polling costs, and which cursors lose rows.

Everything here reads recorded evidence; how the patterns work is in `simulator/patterns`, and nowhere else.
"""

from __future__ import annotations

from functools import cache
from math import ceil, exp, sqrt

import numpy as np

from exercises.attack.visibility import CURSORS, census
from simulator import Workload, distributions, faults, simulate, theory
from simulator.patterns import DualWrite, Outbox, crashes
from simulator.views import style
from simulator.views.picture import Picture, sentence

from .curves import SEED, finish, marks, panels, theory_line

ORDERS = Workload(rate=20, keys=None, seconds=8)
GAP = 0.05  # s, between commit and publish: long enough to be seen


# The crash between two writes

@cache
def dual_write(first: str = "commit"):
    """The service is killed halfway between its two writes."""
    system = DualWrite(first, gap=GAP)
    at = moment(simulate(system, ORDERS, seed=SEED), "commit" if first == "commit" else "append", after=4.0) + GAP / 2
    return simulate(system, ORDERS, faults=[faults.crash("service-1", at=round(at, 6), lasts=1)], seed=SEED)


def rolled_back():
    """Publishing first, no crash, and one transaction in ten rolls back."""
    return simulate(DualWrite("publish", rollback=0.1), Workload(rate=50, keys=None, seconds=20), seed=SEED)


def broker_away() -> dict[str, int]:
    """Orders on which database and topic disagree after four seconds without a broker."""
    systems, orders = {"dual write": DualWrite(), "outbox": Outbox()}, Workload(rate=50, keys=None, seconds=12)
    trouble = [faults.crash("broker", at=5, lasts=4)]
    return {name: wrong(simulate(system, orders, faults=trouble, seed=SEED, settle=5))
            for name, system in systems.items()}


def moment(run, kind: str, after: float) -> float:
    """When the first event of this kind after so many seconds happened."""
    times = run.trace.events.rows["time"][run.trace.where(kind)]
    return float(times[times > after][0])


def wrong(run) -> int:
    """Orders that database and topic do not agree on."""
    return sum(run.report.verdicts[kind].records for kind in ("lost write", "aborted read"))


def repeated(run) -> int:
    """Orders that are in the topic once more than they should be."""
    return run.report.verdicts["duplicate"].records


EVERY = (4.0, 8.0, 16.0, 32.0)  # seconds of being up between crashes


def per_million(gap: float = 0.02) -> Picture:
    """Inconsistent orders per million against the time between crashes, measured and computed; the outbox beside it."""
    found = [_inconsistent(DualWrite(gap=gap), every) for every in EVERY]
    outbox = [_inconsistent(Outbox(interval=0.1), every)[0] for every in EVERY[:2]]
    fine = np.geomspace(EVERY[0], 86_400 * 30, 60)
    day = 1e6 * theory.inconsistent(gap, 86_400)
    title = f"A window of {style.seconds(gap)} and a crash a day: {day:.2g} orders per million are wrong"
    told = ", ".join(f"{every:g} s: {value:,.0f}" for every, (value, _) in zip(EVERY, found))
    caption = sentence("Orders that are in the database and not in the topic, per million (time between crashes: "
                       f"found; {told}), with 95 % intervals. Dashed: 1 - exp(-window/time between crashes). The "
                       f"outbox, with its service and its relay crashing as often: {max(outbox):g} at {EVERY[0]:g} s "
                       f"and at {EVERY[1]:g} s.", SEED)
    figure, (axis,) = panels(title, caption, 1)
    theory_line(axis, fine, [1e6 * theory.inconsistent(gap, every) for every in fine])
    # a log axis has no zero
    low, high = [min(error, 0.9 * value) for value, error in found], [error for _, error in found]
    marks(axis, {"dual write": (EVERY, [value for value, _ in found])}, {"dual write": [low, high]})
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xticks([10, 60, 3_600, 86_400, 86_400 * 30], ["10 s", "1 min", "1 h", "1 day", "30 days"])
    finish(axis, "mean time between crashes", "inconsistent orders per million")
    return figure


@cache
def _inconsistent(system, every: float) -> tuple[float, float]:
    """Per million orders, and the half width of its 95 % interval: what a crash finds in the window is Poisson."""
    workload = Workload(rate=100, keys=None, seconds=150)
    trouble = crashes("service-1", every, workload.seconds)
    if isinstance(system, Outbox):
        trouble += crashes("relay-1", every, workload.seconds)
    run = simulate(system, workload, faults=trouble, seed=SEED, trace=False)
    orders, lost = len(run.history.acknowledged()), wrong(run)
    variance = lost + len(trouble) * (getattr(system, "gap", 0) * workload.rate) ** 2
    return 1e6 * lost / orders, 1e6 * 1.96 * sqrt(variance) / orders


def wrong_a_month(rate: float, window: float, crashes_a_day: float) -> float:
    """Orders a month on which database and topic disagree, by theory."""
    return 30 * 86_400 * rate * theory.inconsistent(window, 86_400 / crashes_a_day)


# The relay

@cache
def relay_dies(relay: str = "polling", batch: int = 100):
    """The relay is killed after it has published and before it has marked."""
    system = Outbox(relay=relay, batch=batch)
    quiet = simulate(system, ORDERS, seed=SEED)
    at = moment(quiet, "mark" if relay == "polling" else "confirm", after=4.0) - 0.00005
    return simulate(system, ORDERS, faults=[faults.crash("relay-1", at=round(at, 6), lasts=1)], seed=SEED)


def marked_first():
    """The same crash for a relay that marks before it publishes."""
    system = Outbox(mark="before")
    at = moment(simulate(system, ORDERS, seed=SEED), "marked", after=4.0) + 0.00001
    return simulate(system, ORDERS, faults=[faults.crash("relay-1", at=round(at, 6), lasts=1)], seed=SEED)


# What polling costs

QUERY = 0.001


def delay_and_load(interval: float = 0.5, rate: int = 50) -> Picture:
    """Mean seconds from creation to topic, and queries a second, against the poll interval; and a log reader's."""
    # whole intervals: otherwise the last would bend the mean
    seconds = interval * ceil(min(20, 1_000 / rate) / interval)
    workload = Workload(rate=rate, keys=None, seconds=seconds)
    polled, streamed = (simulate(system, workload, seed=SEED, trace=False)
                        for system in (Outbox(interval=interval, query=QUERY, batch=1_000),
                                       Outbox(relay="cdc", interval=interval)))
    wait, load = polled.end_to_end.mean, polled.meters.counts["queries"] / polled.seconds
    fine = np.geomspace(0.01, 5, 80)
    title = (f"Polling every {style.seconds(interval)}: {style.seconds(wait)} late, {load:.3g} queries/s; "
             f"reading the log: {style.seconds(streamed.end_to_end.mean)}, none")
    caption = sentence(f"{rate} orders/s. Left: mean time from an order to the topic; dashed: half an interval and "
                       f"{style.seconds(QUERY)} of query. Right: queries a second, of which a poll is one and marking "
                       "what it found another; dashed: (2 - exp(-rate x interval))/interval. Circle: polling; square: "
                       "change data capture.", SEED)
    figure, (left, right) = panels(title, caption, 2)
    theory_line(left, fine, [theory.tick_delay(each) + QUERY for each in fine])
    theory_line(right, fine, [(2 - exp(-rate * each)) / each for each in fine])
    marks(left, {"polling": ([interval], [wait]), "log": ([interval], [streamed.end_to_end.mean])})
    marks(right, {"polling": ([interval], [load]), "log": ([interval], [0.1])})
    for axis in (left, right):
        axis.set_xscale("log")
        axis.set_yscale("log")
    finish(left, "poll interval (s)", "", "seconds from order to topic")
    finish(right, "poll interval (s)", "", "queries a second (the log: none, drawn at 0.1)", legend=False)
    return figure


# The cursor

@cache
def in_flight(cursor: str = "position", transaction: float = 0.1):
    """Transactions of uneven length, a relay that remembers the highest row number, and no fault at all."""
    system = Outbox(cursor=cursor, interval=0.25, transaction=distributions.Exponential(transaction))
    return simulate(system, Workload(rate=20, keys=None, seconds=20), seed=SEED)


def overtaken_by_length(transaction: float = 0.1, interval: float = 0.25, rate: int = 20) -> Picture:
    """Which orders a cursor on row numbers leaves behind, over time; each mark is one of them."""
    system = Outbox(cursor="position", interval=interval, transaction=distributions.Exponential(transaction))
    run = simulate(system, Workload(rate=rate, keys=None, seconds=60), seed=SEED)
    rows = run.trace.events.rows
    commit = {int(rows["offset"][event]): rows["time"][event] for event in run.trace.where("commit")}
    began = {int(rows["offset"][event]): rows["time"][event] for event in run.trace.where("inserted")}
    late = {int(rows["offset"][event]): None for event in run.trace.where("overtaken")}
    share = 100 * len(late) / len(commit)
    title = f"{share:.1f} % of {len(commit):,} orders are never published, and nothing crashed"
    caption = sentence(f"Each mark is a row: when it was inserted, and how long its transaction took (mean "
                       f"{style.seconds(transaction)}, exponential). Cross: left behind by a relay that remembers the "
                       f"highest row number, polling every {style.seconds(interval)}. {len(late)} crosses.", SEED)
    figure, (axis,) = panels(title, caption, 1)
    seen = {"color": style.LIGHT["broker"], "marker": "o", "markersize": 2.5}
    missed = {"color": style.LIGHT["lost"], "marker": "X", "markersize": 6}
    kept = [row for row in commit if row not in late]
    for name, chosen, look in (("published", kept, seen), ("left behind", list(late), missed)):
        axis.plot([began[row] for row in chosen], [commit[row] - began[row] for row in chosen], linestyle="none",
                  label=name, **look)
    finish(axis, "inserted at (s)", "seconds to commit", legend=False)
    axis.set_ylim(0, 1.2 * axis.get_ylim()[1])
    axis.legend(fontsize=style.SMALL, frameon=False, ncols=2, loc="upper right")
    return figure


CURSOR_NAMES = {"position": "row number", "position, xmin": "row number, only below xmin",
                "(xid, position), xmin": "(xid, row number), only below xmin",
                "stop at a gap": "row number, stops at a gap", "flag": "a flag in each row"}


def cursors():
    """In how many of 560 schedules each cursor loses a row (pandas)."""
    import pandas as pd
    cases = {"number first": ("SXC", "SXC"), "transaction first": ("XSC", "XSC"), "one rolls back": ("SXR", "SXC")}
    table = {name: census(*steps).values() for name, steps in cases.items()}
    return pd.DataFrame({"the relay's cursor": [CURSOR_NAMES[cursor] for cursor in CURSORS]} | table)
