"""Chapter 00: three systems under a quiet and a busy load, what each hand-over took, what it cost, and who lost what.

Everything here reads recorded evidence; how the systems work is in `simulator/brokers`, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass

import numpy as np

from simulator import Workload, distributions, kafka, pubsub, simulate, theory, workqueue
from simulator.evidence.history import FINAL_READER, values_of
from simulator.kernel.network import NetworkProfile
from simulator.run import Comparison, Run
from simulator.views import style
from simulator.views.picture import Picture, picture, sentence, words

A_MILLISECOND = distributions.Exponential(0.001)  # of work on each order: 1 ms on average
MONTH = 30 * 24 * 3600
CROSSING = 0.02           # dollars a gigabyte that changes zone, fact c-33
SERVERS = ("queue", "broker", "controller")


# Two loads

def rush(seed: int = 7) -> Comparison:
    """100,000 orders a second: 0.25 s of them for queue and log, 0.7 s for pub/sub, whose one subscriber gets all."""
    def run(system, seconds: float, consumers: int) -> Run:
        workload = Workload(rate=100_000, seconds=seconds, keys=100_000, consumers=consumers, work=A_MILLISECOND)
        return simulate(system, workload, seed=seed, trace=False)
    return Comparison({"queue": run(workqueue.WorkQueue(prefetch=1), 0.25, 160),
                       "log": run(kafka.Cluster(partitions=480), 0.25, 160),
                       "pub/sub": run(pubsub.PubSub(), 0.7, 1)})


def table(runs: Comparison):
    """Readers and how busy they were, how long an order took to reach one, and how many never did (pandas)."""
    import pandas as pd
    rows = {name: {"readers": run.workload.consumers, "busy": percent(busy(run)),
                   "median": style.seconds(run.end_to_end.p50), "slowest 1 %": style.seconds(run.end_to_end.p99),
                   "orders": orders(run), "never handed over": orders(run) - handed_over(run)}
            for name, run in runs.runs.items()}
    return pd.DataFrame.from_dict(rows, orient="index")


def busy(run: Run) -> float:
    """The share of time a reader works: orders handed over x mean work, shared among the readers (Little's law)."""
    return handed_over(run) * run.workload.work.mean / (run.workload.consumers * run.workload.seconds)


def percent(share: float) -> str:
    """`62 %`."""
    return f"{100 * share:.0f} %"


def orders(run: Run) -> int:
    """How many orders the business made."""
    return sum(map(len, run.history.created.values()))


def handed_over(run: Run) -> int:
    """How many orders reached a reader, each counted once."""
    return len(np.unique(delivered(run)))


# What it costs

def crossing(run: Run) -> float:
    """Bytes that change zone for each byte of an order."""
    return run.meters.cross_zone_bytes() / (orders(run) * run.workload.record_bytes)


def monthly_gigabytes(run: Run) -> float:
    """Gigabytes that would change zone in a month at this load."""
    return run.meters.cross_zone_bytes() / run.workload.seconds * MONTH / 1e9


def monthly_dollars(run: Run) -> float:
    """What they cost."""
    return monthly_gigabytes(run) * CROSSING


def bill(*comparisons: Comparison):
    """Servers in the model, bytes between zones and their price, a row for each system and load (pandas)."""
    import pandas as pd
    rows = [{"system": name, "orders/s": f"{run.workload.rate:,.0f}", "servers": servers(run),
             "crossings a byte": round(crossing(run), 2), "GB a month": f"{monthly_gigabytes(run):,.0f}",
             "dollars a month": f"{monthly_dollars(run):,.0f}"}
            for runs in comparisons for name, run in runs.runs.items()]
    return pd.DataFrame(rows).set_index(["system", "orders/s"])


def servers(run: Run) -> int:
    """Processes that have to run besides the business's own."""
    return sum(node.role in SERVERS for node in run.trace.nodes)


def settings(system) -> int:
    """How many settings a configuration has, its clients' included, those of machines and their places not."""
    names = [field.name for field in fields(system) if field.name not in ("network", "disk", "placement")]
    parts = [getattr(system, name) for name in names if is_dataclass(getattr(system, name))]
    return len(names) - len(parts) + sum(map(settings, parts))


# A reader that dies, a reader that comes late

def fates(runs: dict):
    """What became of the orders when their reader crashed: handed over, handed over again, never (pandas)."""
    import pandas as pd
    rows = {name: {"orders": orders(run), "handed over": handed_over(run),
                   "handed over again": len(delivered(run)) - handed_over(run),
                   "never": orders(run) - handed_over(run)} for name, run in runs.items()}
    return pd.DataFrame.from_dict(rows, orient="index")


def delivered(run: Run) -> np.ndarray:
    """Which order it was, for each hand-over to one of the business's own readers."""
    readers, found = hand_overs(run)
    return found[readers != FINAL_READER]


def received(run: Run, reader: str) -> int:
    """How many different orders this reader got, in all the lives of its process."""
    readers, found = hand_overs(run)
    return len(np.unique(found[readers == reader]))


def hand_overs(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Who got an order and which, for each hand-over: reader names, and numbers that differ for different orders."""
    history = run.history
    names = np.array([name.split("/")[0] for name in history.processes])
    if hasattr(history, "deliveries"):
        rows = history.deliveries.rows
        process, key, value = rows["process"], rows["key"], rows["value"]
    else:
        rows = history.polls.rows
        process, key = (np.repeat(rows[column], rows["count"]) for column in ("process", "key"))
        value = values_of(rows)
    return names[process], value * len(history.keys) + key


# One load to turn

RATES = np.arange(10, 991, 10)
WORKERS = (1, 2, 4)
SEED = 7
ORDERS = 4_000  # in each simulation: enough to see a tail, few enough to answer at once


@dataclass(frozen=True)
class Load:
    """How long orders waited for one of `workers` of a queue, s, and the share of time these worked."""
    rate: float
    workers: int
    waits: np.ndarray
    busy: float

    @property
    def mean(self) -> float:
        """The average wait, s."""
        return float(self.waits.mean())

    @property
    def p99(self) -> float:
        """The wait that one order in a hundred exceeds, s."""
        return float(np.quantile(self.waits, 0.99))

    def picture(self) -> Picture:
        """This load as a dot on the curve that theory draws for all loads."""
        told = f"{self.workers} worker{'s' * (self.workers > 1)}, {percent(self.busy)} busy"
        figure, (axis,) = picture(f"{told}: 1 order in 100 waits longer than {style.seconds(self.p99)}", sentence(
            f"Wait for a worker that 1 order in 100 exceeds. Dot: {len(self.waits):,} simulated orders at "
            f"{self.rate:g} a second, {style.seconds(self.p99)} (mean {style.seconds(self.mean)}). Lines: theory "
            f"(M/M/c), here {style.seconds(expected_p99(self.rate, self.workers))}.", SEED), height=2.6)
        for number, workers in enumerate(WORKERS):
            chosen = workers == self.workers
            waits = [1000 * expected_p99(rate, workers) for rate in RATES]
            axis.plot(RATES, waits, style.LINES[number], color=style.LIGHT["broker" if chosen else "controller"],
                      linewidth=2 if chosen else 1.2, label=f"{workers} worker{'s' * (workers > 1)}")
        axis.plot(self.rate, 1000 * self.p99, "o", color=style.LIGHT["lost"], markersize=9, clip_on=False, zorder=3)
        axis.set(xlim=(0, 1000), ylim=(0, 80))
        words(axis, "orders a second", "wait (ms)")
        axis.legend(fontsize=style.SMALL, frameon=False, loc="upper left")
        return figure

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return self.picture()._repr_mimebundle_()


def load(rate: float = 100, workers: int = 1) -> Load:
    """A queue without a network, so that nothing is measured but waiting for a worker and working."""
    system = workqueue.WorkQueue(prefetch=1, confirms=False, network=NetworkProfile.instant())
    workload = Workload(rate=rate, seconds=ORDERS / rate, consumers=workers, work=A_MILLISECOND)
    run = simulate(system, workload, seed=SEED, trace=False)
    made, begun, done = run.history.created[0], times(run.history.deliveries), times(run.history.settlements)
    return Load(rate, workers, begun - made, float((done - begun).sum() / (workers * done.max())))


def expected_p99(rate: float, workers: int) -> float:
    """What theory says that one order in a hundred waits longer than, s."""
    return theory.mmc_wait_quantile(rate, 1 / A_MILLISECOND.mean, workers, 0.99)


def times(table) -> np.ndarray:
    """When it happened, for each message."""
    rows = table.rows
    return rows["time"][np.argsort(rows["value"])]
