"""Chapter 12a: folds that accept anything, two writers on one past, what a snapshot saves and remembers wrongly.

Everything here reads recorded evidence; how the store works is in `simulator/patterns/event_store.py`. The folds are a
few lines, for reading.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from simulator import Workload, simulate, theory
from simulator.kernel.network import NetworkProfile
from simulator.patterns import EventStore
from simulator.views import style
from simulator.views.picture import Picture, sentence

from .curves import SEED, finish, marks, panels, theory_line

CREATED, PAID, SHIPPED = {"type": "OrderCreated", "id": 7}, {"type": "OrderPaid"}, {"type": "OrderShipped"}


# Folds

def forgiving(events: list[dict]) -> dict:
    """An order's state, by a fold that takes whatever comes."""
    state = {}
    for event in events:
        match event["type"]:
            case "OrderCreated":
                state = {"id": event["id"], "status": "PENDING"}
            case "OrderPaid":
                state = {**state, "status": "PAID"}
            case "OrderShipped":
                state = {**state, "status": "SHIPPED"}
    return state


FOLLOWS = {None: "OrderCreated", "OrderCreated": "OrderPaid", "OrderPaid": "OrderShipped"}


def strict(events: list[dict]) -> dict:
    """The same for the side that decides: an event that cannot be there is an error, not a state."""
    before = None
    for event in events:
        if event["type"] != FOLLOWS.get(before):
            raise ValueError(f"event: {event['type']!r} cannot follow {before!r}")
        before = event["type"]
    return forgiving(events)


def refusal(events: list[dict]) -> str:
    """What the strict fold says of these events."""
    try:
        return str(strict(events))
    except ValueError as error:
        return str(error)


# A snapshot by yesterday's code

LEDGER = [("deposit", 100), ("fee", 2), ("withdraw", 30), ("fee", 2), ("withdraw", 10)]


def balance(events: list[tuple[str, int]], start: int = 0, fees: bool = True) -> int:
    """The fold of an account; `fees=False` is last year's code, to which fees are unknown events."""
    signs = {"deposit": 1, "withdraw": -1} | ({"fee": -1} if fees else {})
    return start + sum(signs.get(kind, 0) * amount for kind, amount in events)


def old_snapshot(after: int = 3) -> dict[str, int]:
    """Today's balance by replaying all, and by starting from a snapshot that last year's code took."""
    snapshot = balance(LEDGER[:after], fees=False)
    return {"fold of all events": balance(LEDGER), "old snapshot, then the rest": balance(LEDGER[after:], snapshot)}


# Two writers

RUSH = Workload(rate=40, keys=None, seconds=3)


@cache
def rush(expected_version: bool = False):
    """Four writers, an account with twenty coins, and more withdrawals than that."""
    return simulate(EventStore(expected_version, writers=4, deposit=20, fold=0.002), RUSH, seed=SEED)


def taken(run) -> int:
    """Withdrawals that were accepted."""
    return len(run.history.acknowledged())


def last_coin(run) -> list[tuple[float, str, str]]:
    """Who decided to take the last coin, and what became of it: time, node, sentence."""
    rows = run.trace.events.rows
    decided = [event for event in run.trace.where("decide") if rows["count"][event] == 1]
    takers = rows["value"][decided]
    stored = [event for event in run.trace.where("stored", "overdrawn") if rows["value"][event] in takers]
    return [(float(rows["time"][event]), run.trace.nodes[rows["node"][event]].name, run.trace.describe(event))
            for event in sorted(decided + stored)]


RATES = (5, 10, 20, 40, 80)


def conflicts(round_trip_ms: int = 10, accounts: int = 1) -> Picture:
    """The share of appends that are refused, against the rate, for one account read and written in a round trip."""
    window = round_trip_ms / 1_000
    found = [refused(rate, window, accounts) for rate in RATES]
    fine = np.linspace(1, RATES[-1], 60)
    expected = [100 * theory.overtaken(rate / accounts, window) for rate in fine]
    told = ", ".join(f"{rate}: {share:.1f} %" for rate, share in zip(RATES, found))
    title = f"{RATES[-1]} commands/s, {style.seconds(window)} from look to append: {found[-1]:.0f} % have to look again"
    caption = sentence(f"Commands a second on {style.plural(accounts, 'account')}, and the share of appends that were "
                       f"refused ({told}). Dashed: 1 - exp(-rate of an account x window), for commands that come once; "
                       "refused ones come again, at the same moment.", SEED)
    figure, (axis,) = panels(title, caption, 1)
    theory_line(axis, fine, expected)
    marks(axis, {"measured": (RATES, found)})
    finish(axis, "commands a second", "% of appends refused")
    return figure


@cache
def refused(rate: float, window: float, accounts: int) -> float:
    """The share of appends that are refused, in percent, with `window` seconds from look to append."""
    system = EventStore(writers=8, accounts=accounts, snapshot_every=1, fold=0.0,
                        network=NetworkProfile(same_zone=window / 2))
    crowd = rate * window / accounts
    commands = 800 if crowd < 0.5 else 400 if crowd < 1 else 80  # the more crowded, the more often each asks
    run = simulate(system, Workload(rate=rate, keys=None, seconds=commands / rate), seed=SEED, trace=False)
    return 100 * run.meters.counts["conflicts"] / run.meters.counts["loads"]


# Snapshots

def snapshots(snapshot_every: int = 100, fold_us: int = 100) -> Picture:
    """How long a command takes, over the life of a stream, with snapshots and without."""
    runs = {"no snapshots": _life(0, fold_us), f"every {snapshot_every}": _life(snapshot_every, fold_us)}
    means = {name: 1_000 * run.latency.mean for name, run in runs.items()}
    events = runs["no snapshots"].history.records_sent()
    bound = 1_000 * (snapshot_every - 1) * fold_us / 1e6
    plain, saved = (1_000 * _last(run) for run in runs.values())
    title = f"After {events:,} events: {plain:.0f} ms a command, or {saved:.1f} ms with snapshots"
    told = "; ".join(f"{name}: mean {mean:.1f} ms" for name, mean in means.items())
    caption = sentence(f"One account, {fold_us} µs to apply an event. Each mark is a command: when, and how long until "
                       f"it was accepted. {told}. Dashed: the longest fold between two snapshots, {bound:.1f} "
                       "ms.", SEED)
    figure, (axis,) = panels(title, caption, 1)
    for number, (name, run) in enumerate(runs.items()):
        look = style.series(number) | {"linestyle": "none", "markersize": 2.4}
        axis.plot(run.history.created[0], 1_000 * run.history.latencies(), label=name, **look)
    axis.axhline(bound, linestyle="--", color=style.LIGHT["ink"], linewidth=1.2)
    finish(axis, "command at (s)", "ms to decide and append")
    return figure


def _last(run) -> float:
    """The mean of the last hundred commands, s."""
    return float(run.history.latencies()[-100:].mean())


@cache
def _life(every: int, fold_us: int):
    system = EventStore(snapshot_every=every, fold=fold_us / 1e6)
    return simulate(system, Workload(rate=5, keys=None, seconds=300, arrivals="even"), seed=SEED, trace=False)
