"""Chapter 02: who had which record when, what became of each send, and the closed forms drawn beside the model.

Everything here reads recorded evidence; how Kafka works is in `simulator/brokers/kafka`, and nowhere else.
"""

from __future__ import annotations

import numpy as np

from simulator import Workload, distributions, faults, kafka, simulate, theory
from simulator.evidence.history import TYPES
from simulator.evidence.report import LOSS
from simulator.kernel.network import NetworkProfile
from simulator.views import figures, style
from simulator.views.picture import Picture, picture, sentence, words

KEY = "orders-0"  # a single partition shows all there is to see


# What came of it

def missing(run) -> int:
    """How many acknowledged records nobody can read any more, whether or not somebody once did."""
    return sum(run.report.verdicts[kind].records for kind in LOSS if kind in run.report.verdicts)


def outcomes(run):
    """How many records were acknowledged, refused or left in doubt, and why (pandas)."""
    import pandas as pd
    rows = run.history.sends.rows
    frame = pd.DataFrame({"outcome": [TYPES[code] for code in rows["type"]],
                          "error": [run.history.errors[code] or "none" for code in rows["error"]], "records": rows["count"]})
    return frame.groupby(["outcome", "error"], as_index=False).sum()


def truncated(run) -> int:
    """How many records replicas have cut off their logs to agree with a new leader."""
    return int(run.trace.events.rows["count"][run.trace.where("truncate")].sum())


def unflushed(run) -> int:
    """How many records power losses took from logs, each copy counted."""
    return int(run.trace.events.rows["count"][run.trace.where("lost_unflushed")].sum())


def acknowledged_rates(runs: dict) -> Picture:
    """Records acknowledged in each second by several runs, one above the other, and how many of them are gone; dotted: faults."""
    totals = {name: (len(run.history.latencies()), missing(run)) for name, run in runs.items()}
    worst, most, least = (max(totals, key=lambda name: totals[name][1]), max(totals, key=totals.get), min(totals, key=totals.get))
    finding = (f"{worst}: {totals[worst][1]:,} acknowledged records are gone" if totals[worst][1] else
               f"{most} acknowledges {totals[most][0]:,} records, {least} {totals[least][0]:,}")
    told = "; ".join(f"{name}: {count:,} acknowledged, {gone:,} of them gone" for name, (count, gone) in totals.items())
    first = next(iter(runs.values()))
    figure, axes = picture(finding, sentence(f"Records acknowledged in each second; dotted: faults. {told}.", first.seed), head=0.2,
                           height=1.1 * len(runs) + 0.3, rows=len(runs), sharex=True, sharey=True)
    for axis, (name, run) in zip(axes, runs.items()):
        rows = run.history.acknowledged()
        axis.hist(rows["completed"], np.arange(0, run.workload.seconds + 2), weights=rows["count"], color=style.LIGHT["producer"])
        axis.set_title(f"{name}: {totals[name][0]:,} acknowledged", loc="left", fontsize=style.LABEL, color=style.LIGHT["ink"])
        axis.set_xlim(0, run.workload.seconds + 1)
        for fault in run.faults:
            axis.axvline(fault.at, color=style.LIGHT["lost"], linestyle=":", linewidth=1.2)
    words(axes[-1], "simulated time (s)", "records/s")
    return figure


def replicas(run, at: float):
    """Each replica at one moment: its role, where its log ends, whether it is in sync (pandas)."""
    import pandas as pd
    leader, in_sync = _leader(run.trace, at), _in_sync(run.trace, at)
    brokers = [node for node, info in enumerate(run.trace.nodes) if info.role == "broker"]
    return pd.DataFrame([{"replica": run.trace.nodes[node].name, "role": "leader" if node == leader else "follower",
                          "log end": _log_end(run.trace, node, at), "in sync": "yes" if in_sync >> node & 1 else "no"} for node in brokers])


def high_watermark(run, at: float) -> int:
    """The offset below which everything was committed at that moment."""
    row = _last(run.trace, at, "high_watermark")
    return int(row["offset"]) if row is not None else 0


def _log_end(trace, node: int, at: float) -> int:
    """Where this node's log ended: after the last records it took, or where it was cut back to."""
    row = _last(trace, at, "append", "replicate", "truncate", "lost_unflushed", node=node)
    if row is None:
        return 0
    return int(row["offset"] + (row["count"] if trace.kinds[row["kind"]].name in ("append", "replicate") else 0))


def _leader(trace, at: float) -> int:
    row = _last(trace, at, "elected")
    return int(row["node"]) if row is not None else -1


def _in_sync(trace, at: float) -> int:
    """The in-sync replicas as a mask of nodes."""
    row = _last(trace, at, "isr")
    return int(row["value"]) if row is not None else 0


def _last(trace, at: float, *kinds: str, node: int | None = None):
    """The last event of these kinds up to a moment, None if there is none."""
    rows = trace.events.rows[trace.where(*kinds, key=KEY)]
    rows = rows[(rows["time"] <= at) & ((rows["node"] == node) if node is not None else True)]
    return rows[-1] if len(rows) else None


# One crash, to turn and to see

def crash_of_the_leader(acks="all", followers_late: float = 0.05, crash_at: float = 2.0, rate: int = 500):
    """Both followers are late by so many seconds, then the leader is killed; it comes back ten seconds later."""
    cluster = kafka.Cluster(partitions=1, producer=kafka.Producer(acks=acks))
    late = faults.slow_network("broker-2", "broker-3", extra=followers_late, at=0.5, lasts=5)
    return simulate(cluster, Workload(rate=rate, seconds=5, keys=50), seed=7, faults=[late, faults.crash("broker-1", at=crash_at, lasts=10)])


def was_lucky(run) -> bool:
    """Whether a leader that spoke for late followers died and took nothing along."""
    return missing(run) == 0 and run.system.producer.acks == 1 and run.faults[0].extra > 0


def log_ends(run, at: float) -> Picture:
    """Where each replica's log ends at one moment and up to where records are acknowledged; hatched: what only one replica has of that."""
    table, promised = replicas(run, at), acknowledged_end(run, at)
    ends = dict(zip(table["replica"], table["log end"]))
    second = sorted(ends.values())[-2]
    alone = max(promised - second, 0)
    told = ", ".join(f"{name} {end:,}" for name, end in ends.items())
    figure, (axis,) = picture(f"{alone:,} acknowledged records are on one broker alone" if alone else "Every acknowledged record has a second copy",
                              sentence(f"Log ends at {at:g} s: {told}; acknowledged up to {promised:,} (dashed).", run.seed), height=1.5, left=1.0)
    for row, end in enumerate(ends.values()):
        axis.barh(row, end, height=0.55, color=style.LIGHT["broker"], alpha=0.55)
        axis.barh(row, max(min(end, promised) - second, 0), left=second, height=0.55, color=style.LIGHT["lost"], hatch="//", edgecolor="white", lw=0)
    axis.axvline(promised, color=style.LIGHT["ink"], linestyle="--", linewidth=1.4)
    axis.set(xlim=(max(min(promised, *ends.values()) - 20, 0), max(promised, *ends.values()) + 10), ylim=(len(ends) - 0.5, -0.5))
    axis.set_yticks(range(len(ends)), list(ends))
    words(axis, "offset")
    return figure


def acknowledged_end(run, at: float) -> int:
    """The offset after the last record that its producer believed to be written at that moment."""
    rows = run.history.acknowledged()
    rows = rows[rows["completed"] <= at]
    return int((rows["value"] + rows["count"]).max(initial=0))


# Closed forms beside the model

ONE_WAY = distributions.Exponential(0.002)  # seconds from one zone to another, in the experiment on the slowest copy


def one_copy(t) -> np.ndarray:
    """Probability that one follower's copy is confirmed within t seconds: two exponential ways, out with the records and back with the next fetch."""
    return 1 - np.exp(-np.asarray(t) / ONE_WAY.mean) * (1 + np.asarray(t) / ONE_WAY.mean)


def slowest_copy(replicas: int, records: int = 1500, seed: int = 3):
    """A run with each replica in a zone of its own, no batching, and no way to speak of between producer and leader."""
    cluster = kafka.Cluster(brokers=replicas, replication=replicas, partitions=1, zones=tuple("abcde"[:replicas]),
                            network=NetworkProfile(same_zone=0.0, cross_zone=ONE_WAY), producer=kafka.Producer(linger=0.0))
    return simulate(cluster, Workload(rate=10, seconds=records / 10, consumers=0), seed=seed, trace=False)


def waiting_for(k: int, followers: int) -> tuple:
    """The distribution of the wait for k of so many copies, as the theory of a latency figure."""
    t = np.linspace(0, 0.04, 400)
    return t, np.array([theory.kth_of_n_cdf(p, k, followers) for p in one_copy(t).tolist()]), f"theory: {k} of {followers} copies"


def p99_wait(k: int, followers: int) -> float:
    """Seconds within which k of so many copies are confirmed 99 times in 100."""
    t, share, _ = waiting_for(k, followers)
    return float(np.interp(0.99, share, t))


def copies_picture(run, replicas: int) -> Picture:
    """The measured wait for all copies between two theories: all of them (dashed), and the majority that a Raft log waits for (dotted)."""
    followers = replicas - 1
    figure = figures.latency_cdf(run.history, theory=waiting_for(followers, followers), seed=run.seed)
    figure.caption += f" Dotted: theory for {replicas // 2} of {followers}, a majority together with the leader."
    t, share, label = waiting_for(replicas // 2, followers)
    figure.axes[0].plot(t, -np.log10(np.maximum(1 - share, 1e-12)), ":", color=style.LIGHT["ink"], label=f"{label} (majority)")
    figure.axes[0].legend(fontsize=style.SMALL, frameon=False, loc="upper left")
    return figure


def linger_theory(rate: float, base: float, longest: float = 0.05) -> tuple:
    """Mean delay by linger as the theory of a sweep: what batching costs, on top of what a send without it takes."""
    lingers = np.linspace(0, longest, 50)
    return lingers, [base + theory.linger_delay(rate, linger) for linger in lingers], "theory: base + L(1 + λL/2)/(1 + λL)"
