"""Chapter 05: the way of a record through a log on object storage, and what dies on that way.

Everything here reads recorded evidence; how such a log works is in `simulator/brokers/warpstream`, and nowhere else.
What it costs to wait is in `waiting`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from simulator import Workload, faults, simulate, warpstream
from simulator.brokers.warpstream.calibration import PUBLISHED, SYSTEMS, WORKLOAD
from simulator.kernel.objectstore import profile
from simulator.run import Run
from simulator.views import style
from simulator.views.picture import Picture, picture, sentence, words

from .curves import SEED, finish, panels
from .kafka import missing

# The way of a record: the buffer, the file, the commit

STEADY = Workload(rate=500, record_bytes=1_000, seconds=5, keys=50, consumers=3)
CLUSTER = warpstream.Cluster(producers=12, compaction_interval=None)
EXPRESS = replace(CLUSTER, store="s3-express", batch_timeout=0.050, linger=0.010)
WAYS = {"defaults, S3 Standard": CLUSTER,
        "diskless topics, KIP-1150": replace(CLUSTER, diskless="kip-1150"),
        "50 ms, S3 Express": EXPRESS,
        "25 ms, S3 Express, lightning": replace(EXPRESS, batch_timeout=0.025, lightning=True)}
STAGES = ("until the file is closed", "PUT", "commit")


@cache
def ways() -> dict[str, Run]:
    """The same records under four settings."""
    return {name: simulate(system, STEADY, seed=SEED) for name, system in WAYS.items()}


def stages(run: Run) -> tuple[float, float, float]:
    """Mean seconds of a record until its file is closed, until that is written, and until it is committed."""
    rows = run.trace.events.rows
    committed = run.trace.where("committed")
    asked = rows["cause"][rows["cause"][committed]]            # the request that each answer answers
    written = rows["cause"][asked]
    closed = rows["cause"][written]
    records = rows["count"][closed]
    mean = lambda late, early: float(np.average(rows["time"][late] - rows["time"][early], weights=records))
    put, commit = mean(written, closed), 0.0 if run.system.lightning else mean(committed, written)
    return run.latency.mean - put - commit, put, commit


@cache
def way_of_a_record() -> Picture:
    """What a record waits for, on average, until its producer may forget it."""
    found = {name: [1000 * part for part in stages(run)] for name, run in ways().items()}
    told = "; ".join(f"{name}: {' + '.join(f'{part:.0f}' for part in parts)} ms, "
                     f"median {1000 * ways()[name].latency.p50:.0f} ms" for name, parts in found.items())
    first = found["defaults, S3 Standard"]
    figure, (axis,) = picture(
        f"More than half of the default wait is a timer: {first[0]:.0f} of {sum(first):.0f} ms",
        sentence(f"Mean wait for the acknowledgement: {', '.join(STAGES)}. {told}.", SEED), height=1.9, left=2.4)
    stacked(axis, found, STAGES)
    words(axis, "mean wait for the acknowledgement (ms)")
    return figure


HATCHES = ("", "//", "..", "xx", "--")


def stacked(axis, rows: dict[str, list[float]], parts) -> None:
    """A bar for each row, cut into parts that differ by colour and hatch."""
    for number, part in enumerate(parts):
        left, wide = zip(*((sum(values[:number]), values[number]) for values in rows.values()))
        axis.barh(range(len(rows)), wide, left=left, height=0.6, label=part, linewidth=0, edgecolor="white",
                  color=style.series(number)["color"], hatch=HATCHES[number])
    axis.set_yticks(range(len(rows)), list(rows))
    axis.set_ylim(len(rows) - 0.5, -0.6)
    axis.legend(fontsize=style.SMALL, loc="lower right", framealpha=0.9, edgecolor="none")


@cache
def _published() -> dict[str, Run]:
    return {name: simulate(system, replace(WORKLOAD, seconds=3), seed=SEED, trace=False)
            for name, system in SYSTEMS.items()}


def published():
    """The model beside the vendor's figures, in milliseconds (pandas)."""
    import pandas as pd
    rows = []
    for figure in PUBLISHED:
        run = _published()[figure.system]
        model = getattr(run.latency if figure.what == "produce" else run.end_to_end, figure.percentile)
        published = f"{'<' if figure.bound else ''}{1000 * figure.value:.0f}"
        rows.append({"settings": figure.system, "what": figure.what, "percentile": figure.percentile,
                     "model": round(1000 * model), "published": published,
                     "error": f"{100 * (model / figure.value - 1):+.0f} %"})
    return pd.DataFrame(rows).sort_values("what", ascending=False, kind="stable")


def side_by_side():
    """WarpStream and the proposal for Kafka (pandas)."""
    import pandas as pd
    return pd.DataFrame([{
        "": name, "who gives out offsets": next(node.name for node in run.trace.nodes if node.role == "controller"),
        "commit, mean (ms)": round(1000 * stages(run)[2]), "produce, median (ms)": round(1000 * run.latency.p50),
        "p99 (ms)": round(1000 * run.latency.p99), "end to end, median (ms)": round(1000 * run.end_to_end.p50)}
        for name, run in list(ways().items())[:2]]).set_index("")


def in_flight(requests: int) -> Run:
    """Three producers that send on while at most so many of their requests are unanswered."""
    return simulate(replace(CLUSTER, producers=3, max_in_flight=requests), STEADY, seed=SEED, trace=False)


def crossings(aligned: bool) -> float:
    """Bytes that change zone for each byte produced, with clients that look for an agent in their zone and without."""
    workload = Workload(rate=1_000, record_bytes=10_000, seconds=3, consumers=6)
    run = simulate(replace(CLUSTER, zone_aligned=aligned), workload, seed=SEED, trace=False)
    return run.meters.cross_zone_bytes() / (run.history.records_sent() * workload.record_bytes)


# An agent dies

SMALL = warpstream.Cluster(agents=3, producers=1, partitions=2)
SHORT = Workload(rate=50, seconds=3)
PATIENT = replace(SMALL, scan_interval=2.0, orphan_age=4.0)   # for whom an orphan is one soon
MOMENTS = {1.090: "in its buffer", 1.116: "on their way to the store", 1.135: "written; it does not know",
           1.150: "being committed"}


@cache
def killed(at: float, idempotent: bool = True) -> Run:
    """The agent that everybody writes to is killed at this moment, for a second."""
    trouble = [faults.crash("agent-1", at=at, lasts=1)]
    return simulate(replace(SMALL, idempotent=idempotent), SHORT, faults=trouble, seed=SEED)


def orphans(run: Run) -> set[str]:
    """Files that are in the store and were never committed."""
    trace, rows = run.trace, run.trace.events.rows
    arrived = rows["cause"][trace.where("receive", node="object-store")]
    put = {trace.notes[event].split(" ")[0] for event in arrived
           if trace.kinds[rows["kind"][event]].name == "store_put"}
    asked = rows["cause"][rows["cause"][trace.where("committed")]]
    return put - {trace.notes[written] for written in rows["cause"][asked]}


def moments():
    """What each moment of death costs (pandas)."""
    import pandas as pd
    return pd.DataFrame([{
        "killed at (s)": at, "its records were": where, "acknowledged and lost": missing(run),
        "orphan files": len(orphans(run)), "batches recognised": len(run.trace.where("deduplicated")),
        "slowest send (s)": round(float(run.latency.seconds.max()), 2)}
        for at, where in MOMENTS.items() for run in [killed(at)]]).set_index("killed at (s)")


def collected() -> list[str]:
    """What becomes of the file of 1.135 s where somebody looks every two seconds, in words."""
    run = simulate(PATIENT, replace(SHORT, seconds=10), faults=[faults.crash("agent-1", at=1.135, lasts=1)], seed=SEED)
    told = [event for event in run.trace.where("flush", "orphan", "store_delete")
            if run.trace.notes[event].split(" ")[0] in orphans(run)]
    return [f"{run.trace.events.rows['time'][event]:.3f} s  {run.trace.describe(event)}" for event in told]


def stored_twice(run: Run) -> int:
    """Records that the log holds more than once."""
    return run.report.verdicts["duplicate"].records


# Acknowledged before the commit

CUT_OFF = [faults.drop(["agent-1"], ["metadata"], at=1.0, lasts=1.0), faults.crash("agent-1", at=1.8, lasts=1)]
PROMISES = {"after the commit": PATIENT, "lightning": replace(PATIENT, lightning=True),
            "lightning, nobody looks for its files": replace(PATIENT, lightning=True, slow_path=False)}


@cache
def cut_off() -> dict[str, Run]:
    """An agent loses the control plane at 1.0 s and its life at 1.8 s, under three ways to acknowledge."""
    return {name: simulate(system, SHORT, faults=CUT_OFF, seed=SEED) for name, system in PROMISES.items()}


def promises():
    """What each way to acknowledge did to those records (pandas)."""
    import pandas as pd
    return pd.DataFrame([{
        "acknowledged": name, "median wait (ms)": round(1000 * run.latency.p50), "acknowledged and lost": missing(run),
        "out of order": run.report.verdicts["nonmonotonic send"].records,
        "longest until read (s)": round(float(run.end_to_end.seconds.max()), 1)}
        for name, run in cut_off().items()]).set_index("acknowledged")


# The store says no

WINDOWS = (0.15, 0.25, 0.4, 0.6, 1.0, 1.6, 2.5)


@cache
def at_limit(window: float, limit: float) -> Run:
    """Three agents at a store that takes so many writes a second."""
    store = replace(profile("s3-standard"), writes_per_second=limit)
    cluster = replace(SMALL, producers=3, store=store, batch_timeout=window)
    return simulate(cluster, replace(SHORT, seconds=12), seed=SEED, trace=False)


def refusals(run: Run) -> float:
    """The share of writes that were answered 503."""
    counts = run.meters.counts
    refused = counts.get("object-store throttled requests", 0)
    return refused / (refused + counts["object-store PUT requests"])


@cache
def slow_down(limit: float = 4.0) -> Picture:
    """The median wait by batch window, with the store's usual limit and with one that three agents can reach."""
    runs = {"3,500 writes/s": [at_limit(window, 3_500.0) for window in WINDOWS],
            f"{limit:g} writes/s": [at_limit(window, limit) for window in WINDOWS]}
    low = runs[f"{limit:g} writes/s"]
    best = WINDOWS[int(np.argmin([run.latency.p50 for run in low]))]
    told = "; ".join(f"{name}: {', '.join(style.seconds(run.latency.p50) for run in those)}"
                     for name, those in runs.items())
    refused = ", ".join(f"{100 * refusals(run):.0f}" for run in low)
    figure, (axis,) = panels(
        f"At {limit:g} writes a second a window below {style.seconds(best)} makes one wait longer, not less",
        sentence(f"Median wait by batch window ({', '.join(map(style.seconds, WINDOWS))}), three agents. {told}. "
                 f"Writes answered 503 at {limit:g} a second: {refused} %.", SEED), 1)
    for number, (name, those) in enumerate(runs.items()):
        axis.plot(WINDOWS, [run.latency.p50 for run in those], label=name, linewidth=1.8, **style.series(number))
    axis.set(xscale="log", yscale="log")
    axis.set_xticks(WINDOWS, [f"{window:g}" for window in WINDOWS])
    axis.set_yticks([0.2, 0.5, 1, 2, 5], ["0.2", "0.5", "1", "2", "5"])
    axis.minorticks_off()
    finish(axis, "batch window (s)", "median wait (s)")
    return figure
