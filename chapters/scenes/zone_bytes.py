"""Chapter 03: bytes between zones in simulated runs, what each provider charges for them, and what a lost broker does.

Everything here reads meters and recorded evidence; what a byte costs is in `simulator/evidence/price_books`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from simulator import Workload, faults, kafka, simulate, theory, warpstream
from simulator.evidence.bill import UNITS, PriceBook, bill
from simulator.run import Run
from simulator.views import style
from simulator.views.picture import Picture, picture, sentence, words

from .curves import SEED
from .managed import BOOKS, OWN, SHORT, part
from .tiers import SPREAD, zones

# What crosses zones, and why

@cache
def runs(trace: bool = True) -> dict[str, Run]:
    """The same records through brokers that copy, read from leaders and from the nearest, and through agents."""
    kept = zones(rate=1_000.0, trace=trace)
    return kept | {"agents and a bucket": simulate(warpstream.Cluster(), SPREAD, seed=SEED, trace=trace)}


WHY = {"to the leader": {"producer", "broker"}, "to followers": {"broker"}, "to consumers": {"broker", "consumer"}}


def per_byte(run: Run) -> dict[str, float]:
    """Bytes between zones for each byte produced, by why, from the run's meters."""
    produced = run.history.records_sent() * run.workload.record_bytes
    found = {why: sum(amount for pair, amount in run.meters.crossings.items() if set(pair) == roles) / produced
             for why, roles in WHY.items()}
    return found | {"all": run.meters.cross_zone_bytes() / produced}


def measured(found: Mapping[str, Run]):
    """The same for several runs, beside the closed form (pandas)."""
    import pandas as pd
    expected = {"from the leader": theory.cross_zone_bytes(1),
                "from the nearest": theory.cross_zone_bytes(1, fetch_from_closest=True)}
    rows = [{"run": name} | {why: round(value, 2) for why, value in per_byte(run).items()} |
            {"by formula": round(expected.get(name, 0.0), 2)} for name, run in found.items()]
    return pd.DataFrame(rows).set_index("run")


def zone_dollars(run: Run, book: PriceBook) -> float:
    """Dollars on this book's bill for bytes between zones, for each terabyte produced."""
    names = [price.name for price in book.prices if part(price.meter) == "between zones"]
    produced = run.history.records_sent() * run.workload.record_bytes
    return bill(run.meters, book.only(*names), times=UNITS["TB"] / produced).total


def who_pays(found: Mapping[str, Run]) -> Picture:
    """Dollars for crossing zones, a terabyte produced and one group: each book, with KIP-392 and without."""
    far, near, bucket = found.values()
    costs = {name: [zone_dollars(run, book) for run in ((bucket, bucket) if book.copies == "bucket" else
                                                        (far, near if book.nearby else far))]
             for name, book in BOOKS.items()}
    costs = dict(sorted(costs.items(), key=lambda item: -item[1][0]))
    told = "; ".join(f"{SHORT[name]} {one:.0f} and {two:.0f}" for name, (one, two) in costs.items())
    own, msk = costs[OWN], costs["msk"]
    figure, (axis,) = picture(
        f"For the same bytes: {own[0]:.0f} dollars a TB on your own machines, {msk[0]:.0f} on MSK",
        sentence(f"What is charged for bytes between zones, for each terabyte produced; one group, three replicas, "
                 f"three zones; bytes from the runs' meters. Read from the leader, and from the nearest: {told}.",
                 far.seed),
        height=2.7, left=1.75)
    for row, name in enumerate(("from the leader", "from the nearest")):
        look = dict(color=style.series(row)["color"], hatch="//" if row else None, edgecolor="white", linewidth=0)
        axis.barh(np.arange(len(costs)) + 0.36 * row, [values[row] for values in costs.values()], height=0.34,
                  label=name, **look)
    axis.set_yticks(np.arange(len(costs)) + 0.18, [SHORT[name] for name in costs])
    axis.set_ylim(len(costs) - 0.3, -0.5)
    axis.legend(fontsize=style.SMALL, frameon=False, loc="lower right")
    words(axis, "dollars for each TB produced")
    return figure


# A broker is away

AWAY = (5.0, 25.0)


@cache
def away() -> Run:
    """The broker of the consumer's zone is gone for twenty seconds; the consumer reads from the nearest."""
    cluster = kafka.Cluster(partitions=3, producer=kafka.Producer(linger=0.02), consumer=kafka.Consumer(rack=True))
    workload = Workload(rate=150, record_bytes=1_000, seconds=40, keys=200)
    gone = faults.crash("broker-1", at=AWAY[0], lasts=AWAY[1] - AWAY[0])
    return simulate(cluster, workload, faults=[gone], seed=SEED)


@dataclass(frozen=True)
class Crossing:
    """Records that change zone: when, how many, why."""
    time: np.ndarray
    records: np.ndarray

    def until(self, moment: float) -> int:
        return int(self.records[self.time <= moment].sum())


def crossing(run: Run) -> dict[str, Crossing]:
    """The records that each kind of message carries into another zone, from the trace."""
    rows, place = run.trace.events.rows, np.array([node.zone for node in run.trace.nodes])
    found = {}
    for why, kind in zip(WHY, ("produce", "fetched", "polled")):
        these = rows[run.trace.where(kind)]
        these = these[place[these["node"]] != place[these["peer"]]]
        found[why] = Crossing(these["time"], these["count"])
    return found


def between(run: Run, start: float, end: float) -> dict[str, float]:
    """Crossings for each record produced in a stretch of a run, by why."""
    sends = run.history.acknowledged()
    produced = sends["count"][(sends["completed"] > start) & (sends["completed"] <= end)].sum()
    found = {why: (these.until(end) - these.until(start)) / produced for why, these in crossing(run).items()}
    return found | {"all": sum(found.values())}


STRETCHES = {"before": (0.0, 5.0), "while it is gone": (15.0, 24.0), "after": (28.0, 40.0)}


def phases(run: Run):
    """Crossings for each record produced before, while and after the broker is gone (pandas)."""
    import pandas as pd
    return pd.DataFrame([{"": name} | {why: round(value, 2) for why, value in between(run, *stretch).items()}
                         for name, stretch in STRETCHES.items()]).set_index("")


def so_far(run: Run) -> Picture:
    """How many bytes have changed zone up to each moment, by why."""
    found, size = crossing(run), run.workload.record_bytes / 1e6
    grid = np.linspace(0, run.seconds, 400)
    at_return = {why: size * (these.until(AWAY[1] + 0.5) - these.until(AWAY[1] - 0.1)) for why, these in found.items()}
    told = "; ".join(f"{why} {size * these.until(run.seconds):.1f} MB" for why, these in found.items())
    figure, (axis,) = picture(
        f"The broker's return alone sends {at_return['to followers']:.1f} MB between zones",
        sentence(f"Bytes between zones so far, by why. The broker of zone a is gone between the dotted lines; its "
                 f"partition has a new leader after {_takeover(run) - AWAY[0]:.0f} s. In all: {told}.", run.seed))
    for number, (why, these) in enumerate(found.items()):
        look = style.series(number)
        axis.plot(grid, [size * these.until(moment) for moment in grid], color=look["color"],
                  linestyle=look["linestyle"], linewidth=2, label=why)
    for moment in AWAY:
        axis.axvline(moment, color=style.LIGHT["ink"], linestyle=":", linewidth=1.2)
    axis.legend(fontsize=style.SMALL, frameon=False)
    axis.set(xlim=(0, run.seconds), ylim=(0, None))
    words(axis, "simulated time (s)", "MB between zones so far")
    return figure


def _takeover(run: Run) -> float:
    """When somebody else began to lead the lost broker's partition."""
    times = run.trace.events.rows["time"][run.trace.where("elected")]
    return float(times[times > AWAY[0]][0])
