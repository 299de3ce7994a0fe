"""Chapter 02c: who served which partition when, what a change of a group costs, and the knobs to turn.

Everything here reads recorded evidence; how groups work is in `simulator/brokers/kafka/groups`, and nowhere else.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.collections import PolyCollection

from simulator import Workload, distributions, faults, kafka, simulate
from simulator.run import Run
from simulator.views import style
from simulator.views.picture import Picture, picture, sentence, words

groups = kafka.groups
PROTOCOLS = ("eager", "cooperative", "static", "consumer")
NAMES = {"eager": "eager", "cooperative": "cooperative (KIP-429)", "static": "static (KIP-345)", "consumer": "KIP-848"}
HUES = ("consumer", "watermark", "producer", "broker")
HATCHES = ("", "//", "..", "xx")
WORK = distributions.Exponential(0.01)  # seconds a record: 30 % of each member's time
ORDERS = Workload(rate=240, seconds=60, consumers=8, work=WORK)
AT, PARTITIONS = 30.0, 24
LAST = f"consumer-{ORDERS.consumers}"
CHANGES = {
    "one joins": {"events": (groups.join(LAST, AT),)},
    "one leaves": {"events": (groups.stop(LAST, AT),)},
    "one restarts": {"events": (groups.stop(LAST, AT, lasts=5),)},
    "one crashes": {"trouble": (faults.crash(LAST, at=AT),)}}


def group(protocol: str, events=(), trouble=(), workload: Workload = ORDERS, seed: int = 7, **settings) -> Run:
    """One group of eight members over 24 partitions, unless something else is asked for."""
    settings = {"partitions": PARTITIONS} | settings
    system = kafka.Group(protocol=protocol, events=tuple(events), **settings)
    return simulate(system, workload, faults=trouble, seed=seed, settle=120)


def under_each(change: str, **more) -> dict[str, Run]:
    """The same change under the four protocols."""
    return {protocol: group(protocol, **CHANGES[change], **more) for protocol in PROTOCOLS}


# What it cost

PAUSED, STABLE, TWICE = "paused (partition-s)", "stable after (s)", "delivered twice"


def stopped(run: Run, since: float = AT) -> int:
    """How many partitions were given up by somebody after a moment."""
    rows = run.trace.events.rows[run.trace.where("revoked", "left_behind")]
    return len(np.unique(rows["key"][rows["time"] >= since]))


def cost(run: Run, since: float = AT) -> dict[str, float]:
    """Partition-seconds without an owner, seconds until ownership changes no more, and records delivered twice."""
    return {PAUSED: groups.paused_partition_seconds(run.trace, since),
            STABLE: groups.time_to_stable(run.trace, since), TWICE: groups.duplicates(run.history)}


def costs(runs: dict[str, Run], since: float = AT):
    """The cost of each run, one row a run (pandas)."""
    import pandas as pd
    return pd.DataFrame({NAMES.get(name, name): cost(run, since) for name, run in runs.items()}).T.round(1)


def joined_while_one_is_slow(protocol: str) -> Run:
    """The eighth member joins while the first one works 20 s on a batch."""
    return group(protocol, (groups.stall("consumer-1", AT - 1, 20), groups.join(LAST, AT)))


def rolling_restarts(every: float = 20.0, away: float = 5.0, members: int = 8) -> dict[str, Run]:
    """Under each protocol one member after another is away for a few seconds."""
    workload = Workload(rate=240, seconds=AT + every * members, consumers=members, work=WORK)
    events = groups.rolling_restart(members, AT, every, away)
    return {protocol: group(protocol, events, workload=workload) for protocol in PROTOCOLS}


def bill(rolled: dict[str, Run]) -> Picture:
    """Paused partition-seconds for each kind of change under each protocol; the bars of a row share a scale."""
    paid = {change: {p: cost(run) for p, run in under_each(change).items()} for change in CHANGES}
    paid["all restart in turn"] = {protocol: cost(run) for protocol, run in rolled.items()}
    told = "; ".join(f"{change}: " + ", ".join(f"{NAMES[p]} {by[p][PAUSED]:.0f}" for p in PROTOCOLS)
                     for change, by in paid.items())
    worst, best = (pick(PROTOCOLS, key=lambda p: cost(rolled[p])[PAUSED]) for pick in (max, min))
    title = f"Restarting everybody: {NAMES[worst]} pauses most, {NAMES[best]} least"
    figure, axes = picture(title, sentence(f"Partition-seconds without an owner. {told}.", 7),
                           height=len(paid) + 0.6, rows=len(paid), left=1.75, head=0.15)
    for axis, (change, by) in zip(axes, paid.items()):
        _bars(axis, change, [by[p] for p in PROTOCOLS])
    words(axes[-1], "paused partition-seconds")
    return figure


def _bars(axis, change: str, paid: list[dict]) -> None:
    most = max(each[PAUSED] for each in paid)
    for row, each in enumerate(paid):
        axis.barh(row, each[PAUSED], height=0.7, color=style.LIGHT[HUES[row]], hatch=HATCHES[row], edgecolor="white",
                  linewidth=0)
        told = f"{each[PAUSED]:.0f}, stable after {each[STABLE]:.0f} s" + f", {each[TWICE]} twice" * bool(each[TWICE])
        axis.text(each[PAUSED] + most * 0.01, row, told, va="center", fontsize=style.SMALL, color=style.LIGHT["muted"])
    axis.set_yticks(range(len(PROTOCOLS)), [NAMES[p] for p in PROTOCOLS])
    axis.set_xticks([])
    axis.set(xlim=(0, most * 1.5), ylim=(len(PROTOCOLS) - 0.4, -0.6))
    axis.set_title(change, loc="left", fontsize=style.LABEL, pad=2)


# Who served what, when

def ownership(runs: dict[str, Run] | Run, since: float = AT - 2, until: float = AT + 13, marked: str = LAST) -> Picture:
    """One row a partition, its colour and hatch the owner (black: the marked member); white: nobody reads it."""
    runs = runs if isinstance(runs, dict) else {runs.system.protocol: runs}
    paused = {name: groups.paused_partition_seconds(run.trace, since, until) for name, run in runs.items()}
    told = "; ".join(f"{NAMES[name]} {value:.1f}" for name, value in paused.items())
    named = lambda pick: f"{NAMES[pick(paused, key=paused.get)].split(' (')[0]} {pick(paused.values()):.1f}"
    title = f"Paused partition-seconds: {named(max)}" + (f", {named(min)}" if len(runs) > 1 else "")
    caption = sentence(f"A row is a partition, a colour its owner (black: {marked}), white is nobody. "
                       f"Paused partition-seconds: {told}.", next(iter(runs.values())).seed)
    high = 1.3 if len(runs) > 1 else 2.2
    figure, axes = picture(title, caption, height=high * len(runs), rows=len(runs), sharex=True, head=0.1)
    for axis, (name, run) in zip(axes, runs.items()):
        _draw_owners(axis, run, since, until, marked)
        if len(runs) > 1:
            axis.set_title(f"{NAMES[name]}: {paused[name]:.1f}", loc="left", fontsize=style.LABEL, pad=3)
    words(axes[-1], "simulated time (s)", "partition")
    return figure


def _draw_owners(axis, run: Run, since: float, until: float, marked: str) -> None:
    members = [node.name for node in run.trace.nodes if node.role == "consumer"]
    spans = groups.ownership(run.trace, since, until)
    for number, member in enumerate(members):
        look = {"color": style.LIGHT["ink"]} if member == marked else {
            "facecolor": style.LIGHT[HUES[number % 4]], "hatch": "//////" if number >= 4 else "", "edgecolor": "white"}
        bars = [_bar(row, start, end) for row, of in enumerate(spans.values()) for who, start, end in of
                if who == member]
        axis.add_collection(PolyCollection(bars, linewidth=0, **look), autolim=False)
    axis.set(xlim=(since, until), ylim=(len(spans) - 0.4, -0.6))
    axis.set_yticks([0, len(spans) - 1])
    axis.grid(axis="y", visible=False)


def _bar(row: int, start: float, end: float) -> list[tuple[float, float]]:
    return [(start, row - 0.44), (end, row - 0.44), (end, row + 0.44), (start, row + 0.44)]


# Somebody is slow, and somebody sleeps

HASTY = dict(partitions=6, max_poll_interval=10.0, max_poll_records=100, session_timeout=6.0)
FEW = Workload(rate=60, seconds=60, consumers=3, work=0.01)


def slow(protocol: str = "eager", lasts: float = 15.0, **settings) -> Run:
    """Three members; the records that the first one polls at 20 s take it so much longer."""
    return group(protocol, (groups.stall("consumer-1", at=20, lasts=lasts),), workload=FEW, **HASTY | settings)


def asleep(protocol: str = "eager", **settings) -> Run:
    """Three members; the first one's whole process is frozen for 15 s, so that its heartbeats stop too."""
    return group(protocol, trouble=[faults.pause("consumer-1", at=20.02, lasts=15)], workload=FEW, **HASTY | settings)


def refusals(run: Run) -> list[str]:
    """What was said to those who wanted to commit too late, each with its time."""
    trace, times = run.trace, run.trace.events.rows["time"]
    return [f"{times[event]:.1f} s: {trace.describe(event)}" for event in trace.where("refused", "commit_failed")]


# How long to wait for somebody who is away

def away_for(seconds: float, protocol: str, **settings) -> Run:
    """One of the eight members stops in good order and is back after so many seconds."""
    workload = replace(ORDERS, seconds=AT + seconds + 15)
    return group(protocol, (groups.stop(LAST, AT, lasts=seconds),), workload=workload, **settings)


def break_even(low: float = 2.0, high: float = 45.0) -> float:
    """The absence in seconds, to half a second, up to which static pauses less than eager."""
    paused = lambda seconds, protocol: cost(away_for(seconds, protocol))[PAUSED]
    while high - low > 0.5:
        middle = (low + high) / 2
        low, high = (middle, high) if paused(middle, "static") < paused(middle, "eager") else (low, middle)
    return round(2 * low) / 2


def patience(away=(2, 5, 10, 20, 40, 60), session_timeout: float = 45.0) -> Picture:
    """Paused partition-seconds by how long a member is away, under each protocol."""
    paused = {p: [cost(away_for(seconds, p, session_timeout=session_timeout))[PAUSED] for seconds in away]
              for p in PROTOCOLS}
    until = {other: max([seconds for seconds, a, b in zip(away, paused["static"], paused[other]) if a < b], default=0)
             for other in ("eager", "consumer")}
    title = (f"Static pauses less than eager up to {until['eager']} s away, less than KIP-848 up to "
             f"{until['consumer']} s")
    told = "; ".join(f"{NAMES[p]}: {', '.join(f'{value:.0f}' for value in paused[p])}" for p in PROTOCOLS)
    figure, (axis,) = picture(title, sentence(
        f"One of eight members is away for {', '.join(map(str, away))} s. Paused: {told}. "
        f"Dotted: session timeout, {session_timeout:g} s.", 7), height=2.6)
    for number, protocol in enumerate(PROTOCOLS):
        axis.plot(away, paused[protocol], label=NAMES[protocol], linewidth=1.8, markersize=5, **style.series(number))
    axis.axvline(session_timeout, color=style.LIGHT["muted"], linestyle=":")
    axis.legend(fontsize=style.SMALL, frameon=False, loc="upper left")
    words(axis, "member away for (s)", "paused partition-seconds")
    return figure


# Knobs

def one_more(protocol="eager", members: int = 6, work_ms: int = 10, max_poll_interval: float = 30) -> Run:
    """A group of some members, 12 partitions and 60 records a second; at 15 s one more joins."""
    workload = Workload(rate=60, seconds=40, consumers=members + 1, work=distributions.Exponential(work_ms / 1000))
    newcomer = groups.join(f"consumer-{members + 1}", at=15)
    system = kafka.Group(12, protocol, max_poll_interval=max_poll_interval, events=(newcomer,))
    run = simulate(system, workload, seed=7, settle=0.0)
    return run.shown_as(lambda run: ownership(run, 10.0, 40.0, f"consumer-{members + 1}"))


def expelled(run) -> int:
    """How many times a member was found to poll too seldom."""
    return len(run.trace.where("poll_expired"))


def settle_times(members=(2, 3, 4, 8, 16), partitions_each: int = 2, seeds=(7, 8, 9, 10, 11)) -> dict[str, np.ndarray]:
    """Mean seconds until a group is settled again after one more idle member has joined, by protocol and size."""
    def measured(protocol: str, count: int, seed: int) -> float:
        workload = Workload(rate=count, seconds=45, consumers=count + 1)
        run = group(protocol, (groups.join(f"consumer-{count + 1}", AT),), workload=workload, seed=seed,
                    poll_timeout=0.5, partitions=partitions_each * (count + 1))
        return groups.time_to_stable(run.trace, since=AT)
    return {p: np.array([np.mean([measured(p, count, seed) for seed in seeds]) for count in members])
            for p in PROTOCOLS if p != "static"}


def settling(members=(2, 3, 4, 8, 16)) -> Picture:
    """Seconds to settle after a join, by the size of an idle group."""
    took = settle_times(members)
    told = "; ".join(f"{NAMES[p]}: {', '.join(f'{value:.1f}' for value in took[p])}" for p in took)
    slower = took["consumer"][0] / took["eager"][0]
    title = f"With {members[0]} idle members KIP-848 takes {slower:.1f} times as long as eager to settle"
    caption = (f"Seconds to settle after one more joins {', '.join(map(str, members))} members: {told}. "
               "Mean of seeds 7 to 11.")
    figure, (axis,) = picture(title, caption, height=2.4)
    for number, protocol in enumerate(took):
        axis.plot(members, took[protocol], label=NAMES[protocol], linewidth=1.8, markersize=5, **style.series(number))
    axis.set_ylim(0)
    axis.legend(fontsize=style.SMALL, frameon=False)
    words(axis, "members before the join", "seconds to settle")
    return figure
