"""Chapter 02f: where a log's records lie, what a month of that costs, and what a reader from far behind does to the
others.

Everything here reads recorded evidence, meters and price books; how tiers work is in
`simulator/brokers/kafka/tiering`, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil

import numpy as np

from simulator import Workload, faults, kafka, simulate, theory
from simulator.evidence.bill import MONTH, UNITS, Bill, PriceBook, bill, price_book
from simulator.kernel.objectstore import profile
from simulator.run import Run
from simulator.views import style
from simulator.views.curves import lag_over_time
from simulator.views.picture import Picture, picture, sentence, words

BOOK = price_book()
DAY, MIB = 86_400.0, 2.0 ** 20
ZONE_LINES, DISK_LINES, STORE_LINES = ("zone-out", "zone-in"), ("disks",), ("s3-storage", "s3-put", "s3-get")
PART = 25 * MIB      # Aiven's plug-in uploads in parts of 25 MiB; beginning and ending such an upload is a request each
OBJECTS = 3          # a segment's records, its indexes, its manifest


# A month, from a topic's description: the quantities that a bill needs

def month(mb_per_s: float = 10.0, days: float = 7.0, *, local_hours: float | None = None, groups: int = 2,
          near: bool = False, partitions: int = 60, segment_bytes: float = 1024 * MIB, roll_hours: float = 168.0,
          replication: int = 3, brokers: int = 3,
          replays: float = 0.0) -> dict[str, float]:
    """What a topic uses in a month: records of `mb_per_s`, kept for `days`, on local disks for `local_hours` (None:
    not tiered at all).

    `replays` is how often a month somebody reads all that is in the object store.
    """
    rate = mb_per_s * 1e6
    segment = min(segment_bytes, rate / partitions * roll_hours * 3600)
    held = days * DAY if local_hours is None else min(local_hours * 3600, days * DAY)
    crossing = theory.cross_zone_bytes(groups, replication=replication, fetch_from_closest=near) * rate * MONTH
    used = {"broker seconds": brokers * MONTH,
            "disk byte-seconds": replication * (rate * held + partitions * segment) * MONTH,
            "bytes out of zones": crossing, "bytes into zones": crossing}
    if local_hours is not None:
        copied = rate * days * DAY
        used |= {"object-store byte-seconds": copied * MONTH,
                 "object-store PUT requests": rate * MONTH / segment * _puts(segment),
                 "object-store GET requests": replays * copied / (4 * MIB)}
    return used


def _puts(segment: float) -> int:
    """Requests for one segment: small ones are one PUT, large ones go up in parts."""
    parts = ceil(segment / PART)
    return OBJECTS + (parts + 1 if parts > 1 else 0)


def monthly(book: PriceBook = BOOK, **topic) -> Bill:
    """The bill for a month of this topic."""
    return bill(month(**topic), book)


def storage(made: Bill) -> float:
    """The lines that tiering changes: disks, the store and its requests."""
    return sum(made[name] for name in (*DISK_LINES, *STORE_LINES))


def break_even(local_hours: float, replication: int = 3, book: PriceBook = BOOK) -> float:
    """Days of retention from which a gigabyte costs less in two tiers than on disks alone, requests not counted."""
    disk, store = replication * book["disks"].value, book["s3-storage"].value
    return local_hours / 24 * disk / (disk - store) if disk > store else float("inf")


class Retention:
    """Dollars a month for storage against days of retention: all on local disks, and in two tiers."""

    def __init__(self, book: PriceBook, longest: float, mb_per_s: float, local_hours: float, partitions: int,
                 roll_hours: float):
        self.book, self.mb_per_s, self.local_hours, self.partitions = book, mb_per_s, local_hours, partitions
        self.days = np.linspace(0.25, longest, 120)
        topic = dict(mb_per_s=mb_per_s, partitions=partitions, roll_hours=roll_hours)
        self.local, self.tiered = ([storage(monthly(book, days=days, local_hours=hours, **topic)) for days in self.days]
                                   for hours in (None, local_hours))

    @property
    def pays_from(self) -> float | None:
        """The days of retention from which two tiers cost less, None if they never do."""
        return next((float(days) for days, one, two in zip(self.days, self.local, self.tiered) if two < one), None)

    @property
    def times_cheaper(self) -> float:
        """How many times less two tiers cost at the longest retention."""
        return self.local[-1] / self.tiered[-1]

    def picture(self) -> Picture:
        longest = self.days[-1]
        title = (f"Two tiers cost less from {self.pays_from:.1f} days on; "
                 f"at {longest:g} days {self.times_cheaper:.1f} times less"
                 if self.pays_from else f"Two tiers cost more at any retention up to {longest:g} days")
        figure, (axis,) = picture(
            title, f"Disks, object storage and requests for {self.mb_per_s:g} MB/s, {self.partitions:,} partitions, "
            f"three replicas, {self.local_hours:g} h on local disks. At {longest:g} days: {self.local[-1]:,.0f} and "
            f"{self.tiered[-1]:,.0f} dollars a month. {self.book.name}, {self.book.region}.")
        for number, (name, line) in enumerate({"local disks only": self.local, "two tiers": self.tiered}.items()):
            look = style.series(number)
            axis.plot(self.days, line, color=look["color"], linestyle=look["linestyle"], linewidth=2, label=name)
        axis.legend(fontsize=style.SMALL, frameon=False)
        axis.set(xlim=(0, longest), ylim=(0, None))
        words(axis, "retention (days)", "dollars a month")
        return figure

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return self.picture()._repr_mimebundle_()


def retention_curve(mb_per_s: float = 10.0, local_hours: float = 24.0, partitions: int = 60, roll_hours: float = 168.0,
                    book: PriceBook = BOOK, longest: float = 30.0) -> Retention:
    """What storage costs by retention, for a topic of this size."""
    return Retention(book, longest, mb_per_s, local_hours, partitions, roll_hours)


# A log in two tiers, small enough to be watched

SMALL = kafka.Tiering(segment_bytes=20_000, local_retention=3.0, task_interval=1.0, retention_check_interval=1.0,
                      chunk_bytes=10_000)
CLUSTER = kafka.Cluster(partitions=1, tiering=SMALL)
ORDERS = Workload(rate=40, record_bytes=500, seconds=20, keys=50)


def watch(trouble=(), tiering: kafka.Tiering = SMALL, seed: int = 7, workload: Workload = ORDERS) -> Run:
    """One partition whose segments leave for the store within seconds."""
    return simulate(replace(CLUSTER, tiering=tiering), workload, faults=trouble, seed=seed)


def where_records_are(run: Run) -> Picture:
    """The offsets of one partition over time: on the leader's disk, in the store, in both, deleted."""
    grid = np.linspace(0, run.seconds, 400)
    end, copied = (_reached(run, kind, grid) for kind in ("append", "copied"))
    leader = run.trace.events.rows["node"][run.trace.where("append")[0]]
    local, gone = _reached(run, "deleted_locally", grid, leader), _reached(run, "expired", grid)
    here, there = 100 * on_leader(run), 100 * copied[-1] / end[-1]
    title = (f"The leader's disk held up to {largest_on_disk(run)} records" if run.faults else
             f"{here:.0f} % of the log is on the leader's disk, {there:.0f} % in the store")
    figure, (axis,) = picture(title, sentence(
        f"Offsets of {run.history.keys[0]}: the log ends at {end[-1]:,.0f}; copied up to {copied[-1]:,.0f}; the "
        f"leader's disk begins at {local[-1]:,.0f}, the log at {gone[-1]:,.0f}."
        f"{' Dotted: the faults begin and end.' if run.faults else ''}", run.seed))
    axis.fill_between(grid, local, end, color=style.LIGHT["broker"], alpha=0.35, linewidth=0,
                      label="on the leader's disk")
    axis.fill_between(grid, gone, copied, facecolor="none", edgecolor=style.LIGHT["watermark"], hatch="//", linewidth=0,
                      label="in the object store")
    axis.plot(grid, end, color=style.LIGHT["ink"], linewidth=1.5, label="log end")
    for fault in run.faults:
        axis.axvline(fault.at, color=style.LIGHT["lost"], linestyle=":", linewidth=1.2)
        if fault.ends < run.seconds:
            axis.axvline(fault.ends, color=style.LIGHT["leader"], linestyle=":", linewidth=1.2)
    axis.legend(fontsize=style.SMALL, frameon=False, loc="upper left")
    axis.set(xlim=(0, run.seconds), ylim=(0, None))
    words(axis, "simulated time (s)", "offset")
    return figure


def _reached(run: Run, kind: str, grid: np.ndarray, node: int | None = None) -> np.ndarray:
    """How far something had got at each moment: the largest offset after which such an event had happened."""
    rows = run.trace.events.rows[run.trace.where(kind)] if run.trace.code(kind) >= 0 else run.trace.events.rows[:0]
    rows = rows[rows["node"] == node] if node is not None else rows
    ends = np.append(0, np.maximum.accumulate(rows["offset"] + rows["count"]))
    return ends[np.searchsorted(rows["time"], grid, side="right")]


def moves(run: Run, until: float) -> list[str]:
    """What was copied and deleted, in words, with its time."""
    rows, events = run.trace.events.rows, run.trace.where("copied", "deleted_locally", "expired")
    return [f"{rows['time'][event]:6.3f} s  {run.trace.describe(event)}" for event in events
            if rows["time"][event] <= until]


def keep(seconds: float) -> kafka.Tiering:
    """The small tiers with a retention of so many seconds."""
    return replace(SMALL, retention=seconds)


def on_leader(run: Run) -> float:
    """The share of all offsets that is on the first leader's disk at the end."""
    rows = run.trace.events.rows
    leader = rows["node"][run.trace.where("append")[0]]
    end = np.array([run.seconds])
    return float(1 - _reached(run, "deleted_locally", end, leader)[0] / _reached(run, "append", end)[0])


def without_its_zone(seed: int = 7) -> Run:
    """The store is one in a single zone, as S3 Express is, and at 15 s that zone is gone."""
    return watch([faults.power_loss("object-store", at=15, lasts=1)], replace(SMALL, store=profile("s3-express")), seed)


def largest_on_disk(run: Run) -> int:
    """The most records that the first leader's disk held at any moment."""
    grid = np.linspace(0, run.seconds, 2_000)
    leader = run.trace.events.rows["node"][run.trace.where("append")[0]]
    return int((_reached(run, "append", grid) - _reached(run, "deleted_locally", grid, leader)).max())


# A reader from far behind, everything at a hundredth of its size

HUNDREDTH = dict(segment_bytes=200_000, page_cache=800_000, disk_bandwidth=1.25 * MIB, retention_check_interval=0.5)
STORE = replace(profile("s3-standard"), read_bandwidth=1e6, write_bandwidth=0.524288e6)
WAYS = {"local disks": kafka.Tiering(remote=False, **HUNDREDTH),
        "two tiers": kafka.Tiering(local_retention=1.0, task_interval=0.5, chunk_bytes=41_943, store=STORE,
                                   **HUNDREDTH)}
BUSY = Workload(rate=200, record_bytes=1_000, seconds=40, keys=50)
BACK = 25.0
AWAY = [faults.crash("consumer-1", at=5, lasts=BACK - 5)]


def catch_up(seed: int = 7) -> dict[str, Run]:
    """A consumer is away for twenty seconds and comes back, on local disks and in two tiers."""
    return {name: simulate(kafka.Cluster(partitions=1, tiering=tiering), BUSY, faults=AWAY, seed=seed)
            for name, tiering in WAYS.items()}


def slowest_send(run: Run, since: float = BACK, until: float = BACK + 10) -> float:
    """The longest wait for an acknowledgement of a send that ended in this time, in seconds."""
    rows = run.history.acknowledged()
    rows = rows[(rows["completed"] >= since) & (rows["completed"] <= until)]
    return float((rows["completed"] - rows["invoked"]).max())


def caught_up_after(run: Run, since: float = BACK) -> float:
    """Seconds from the return of the consumer until records take less than a second to it again."""
    polls = run.history.polls.rows
    polls = polls[(polls["completed"] > since) & (polls["process"] != run.history.processes.code("final-reader"))]
    late = polls["completed"] - run.history.created[0][polls["value"]] > 1.0
    return float(polls["completed"][late].max(initial=since) - since)


def neighbours(runs: Mapping[str, Run]) -> Picture:
    """What each producer waits while somebody catches up, and how far the reader is behind."""
    slow = {name: slowest_send(run) for name, run in runs.items()}
    told = "; ".join(f"{name}: caught up after {caught_up_after(run):.1f} s, slowest send {style.seconds(slow[name])}"
                     for name, run in runs.items())
    worst, best = max(slow, key=slow.get), min(slow, key=slow.get)
    figure, axes = picture(
        f"The slowest send takes {style.seconds(slow[worst])} with {worst}, {style.seconds(slow[best])} with {best}",
        sentence(f"Above: the wait of each send. Below: records not yet delivered. The consumer is back at {BACK:g} s "
                 f"(dotted). {told}.", next(iter(runs.values())).seed), rows=2, height=4.4, sharex=True)
    for number, (name, run) in enumerate(runs.items()):
        look, rows = style.series(number), run.history.acknowledged()
        waits = 1000 * (rows["completed"] - rows["invoked"])
        axes[0].plot(rows["completed"], waits, look["marker"], color=look["color"], markersize=2.5, label=name)
        grid, total = lag_over_time(run.history)
        axes[1].plot(grid, total, color=look["color"], linestyle=look["linestyle"], linewidth=1.8, label=name)
    for axis in axes:
        axis.axvline(BACK, color=style.LIGHT["ink"], linestyle=":", linewidth=1.2)
        axis.legend(fontsize=style.SMALL, frameon=False, loc="upper left")
    axes[0].set(yscale="log", xlim=(0, BUSY.seconds))
    words(axes[0], y="wait for the ack (ms)")
    words(axes[1], "simulated time (s)", "records behind")
    return figure


# The zones

SPREAD = Workload(rate=1_000, record_bytes=1_000, seconds=6, keys=200)
NEAR = kafka.Consumer(rack=True)


def zones(cross_zone_ms: float = 0.5, rate: float = 1_000.0, seed: int = 7, trace: bool = True) -> dict[str, Run]:
    """A consumer in zone a and leaders in all three zones; read from the leaders, and from whoever is near."""
    network = kafka.Cluster().network
    network = replace(network, cross_zone=replace(network.cross_zone, median=cross_zone_ms / 1000))
    workload = replace(SPREAD, rate=rate)
    cluster = kafka.Cluster(partitions=3, network=network, producer=kafka.Producer(linger=0.02))
    return {name: simulate(replace(cluster, consumer=consumer), workload, seed=seed, trace=trace)
            for name, consumer in (("from the leader", kafka.Consumer()), ("from the nearest", NEAR))}


def per_terabyte(run: Run, book: PriceBook = BOOK) -> Bill:
    """What crossing zones costs for each terabyte produced."""
    produced = run.history.records_sent() * run.workload.record_bytes
    only = replace(book, prices=tuple(price for price in book.prices if price.name in ZONE_LINES))
    return bill(run.meters, only, times=UNITS["TB"] / produced)


def crossings(run: Run) -> float:
    """Bytes that changed zone for each byte produced."""
    return run.meters.cross_zone_bytes() / (run.history.records_sent() * run.workload.record_bytes)


def delays(rates=(10.0, 100.0, 1_000.0)):
    """The median delay in milliseconds from the leader and from the nearest replica, by records a second (pandas)."""
    import pandas as pd
    rows = [{"records/s": rate} | {name: round(1000 * run.end_to_end.p50, 1)
                                   for name, run in zones(rate=rate, trace=False).items()}
            for rate in rates]
    return pd.DataFrame(rows)


def turn_zones(cross_zone_ms: float = 0.5, groups: int = 1, price_of_a_crossing: float = 0.02) -> Picture:
    """The same two runs with another distance, with more groups that read everything, and at another price."""
    half = price_of_a_crossing / 2
    book = BOOK.with_prices(zone_out=half, zone_in=half)
    return dollars_and_delay(zones(cross_zone_ms, rate=150.0, trace=False), groups, book)


def dollars_and_delay(runs: Mapping[str, Run], groups: int = 1, book: PriceBook = BOOK) -> Picture:
    """Left: dollars for crossing zones, a terabyte produced; right: from a record's creation to its delivery."""
    far, near = runs.values()
    costs = {name: per_terabyte(run, book).total for name, run in runs.items()}
    consumers = costs["from the leader"] - costs["from the nearest"]
    costs["from the leader"] += (groups - 1) * consumers
    saved = 1 - costs["from the nearest"] / costs["from the leader"] if costs["from the leader"] else 0.0
    later = 1000 * (near.end_to_end.p50 - far.end_to_end.p50)
    told = "; ".join(f"{name}: {costs[name]:.0f} dollars a TB, median delay {1000 * run.end_to_end.p50:.2f} ms, "
                     f"p99 {1000 * run.end_to_end.p99:.1f} ms" for name, run in runs.items())
    readers = f"{groups} group{'s' if groups > 1 else ''} of consumers"
    figure, axes = picture(
        f"Reading nearby saves {100 * saved:.0f} % of the crossings; records come {abs(later):.1f} ms "
        f"{'later' if later >= 0 else 'sooner'}",
        sentence(f"{readers}, three zones, three replicas. {told}.", far.seed), height=1.5, left=1.45, columns=2)
    for axis, values in ((axes[0], costs.values()), (axes[1], [1000 * run.end_to_end.p50 for run in runs.values()])):
        for row, value in enumerate(values):
            look = style.series(row)
            axis.barh(row, value, height=0.55, color=look["color"], hatch="//" if row else None, edgecolor="white",
                      linewidth=0)
        axis.set_ylim(1.6, -0.6)
    axes[0].set_yticks([0, 1], list(runs))
    axes[1].set_yticks([])
    words(axes[0], "dollars for each TB produced")
    words(axes[1], "median delay to the consumer (ms)")
    return figure
