"""Chapter 02: who had which record when, what became of each send, and the closed forms drawn beside the model.

Everything here reads recorded evidence; how Kafka works is in `simulator/brokers/kafka`, and nowhere else.
"""

from __future__ import annotations


import numpy as np

from simulator import Workload, distributions, faults, kafka, simulate, theory
from simulator.evidence.history import TYPES
from simulator.evidence.report import LOSS
from simulator.kernel.network import NetworkProfile
from simulator.run import Run
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
    rows, errors = run.history.sends.rows, run.history.errors
    frame = pd.DataFrame({"outcome": [TYPES[code] for code in rows["type"]], "records": rows["count"],
                          "error": [errors[code] or "none" for code in rows["error"]]})
    return frame.groupby(["outcome", "error"], as_index=False).sum()


def truncated(run) -> int:
    """How many records replicas have cut off their logs to agree with a new leader."""
    return int(run.trace.events.rows["count"][run.trace.where("truncate")].sum())


def unflushed(run) -> int:
    """How many records power losses took from logs, each copy counted."""
    return int(run.trace.events.rows["count"][run.trace.where("lost_unflushed")].sum())


def acknowledged_rates(runs: dict) -> Picture:
    """Records acknowledged in each second by several runs, one above the other, and how many of them are gone."""
    totals = {name: (len(run.history.latencies()), missing(run)) for name, run in runs.items()}
    told = "; ".join(f"{name}: {count:,} acknowledged, {gone:,} of them gone" for name, (count, gone) in totals.items())
    seed = next(iter(runs.values())).seed
    caption = sentence(f"Records acknowledged in each second; dotted: faults. {told}.", seed)
    figure, axes = picture(_worst(totals), caption, head=0.2, height=1.1 * len(runs) + 0.3, rows=len(runs),
                           sharex=True, sharey=True)
    for axis, (name, run) in zip(axes, runs.items()):
        rows, end = run.history.acknowledged(), run.workload.seconds + 1
        axis.hist(rows["completed"], np.arange(0, end + 1), weights=rows["count"], color=style.LIGHT["producer"])
        axis.set_title(f"{name}: {totals[name][0]:,} acknowledged", loc="left", fontsize=style.LABEL)
        axis.set_xlim(0, end)
        for fault in run.faults:
            axis.axvline(fault.at, color=style.LIGHT["lost"], linestyle=":", linewidth=1.2)
    words(axes[-1], "simulated time (s)", "records/s")
    return figure


def _worst(totals: dict[str, tuple[int, int]]) -> str:
    """Who lost most; if nobody lost anything, who acknowledged most and least."""
    loser = max(totals, key=lambda name: totals[name][1])
    if totals[loser][1]:
        return f"{loser}: {totals[loser][1]:,} acknowledged records are gone"
    most, least = max(totals, key=totals.get), min(totals, key=totals.get)
    return f"{most} acknowledges {totals[most][0]:,} records, {least} {totals[least][0]:,}"


# Who had what, when

def replicas(run, at: float):
    """Each replica at one moment: its role, where its log ends, whether it is in sync (pandas)."""
    import pandas as pd
    trace, elected, in_sync = run.trace, _last(run.trace, at, "elected"), _last(run.trace, at, "isr")
    return pd.DataFrame([{"replica": info.name, "role": "leader" if node == elected["node"] else "follower",
                          "log end": _log_end(trace, node, at),
                          "in sync": "yes" if in_sync["value"] >> node & 1 else "no"}
                         for node, info in enumerate(trace.nodes) if info.role == "broker"])


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


def _last(trace, at: float, *kinds: str, node: int | None = None):
    """The last event of these kinds up to a moment, None if there is none."""
    rows = trace.events.rows[trace.where(*kinds, key=KEY)]
    rows = rows[(rows["time"] <= at) & ((rows["node"] == node) if node is not None else True)]
    return rows[-1] if len(rows) else None


# One crash, to turn and to see

def crash_of_the_leader(acks="all", followers_late: float = 0.02, crash_at: float = 2.0) -> Run:
    """Both followers are late by so many seconds when the leader is killed, for ten seconds; a second after."""
    cluster = kafka.Cluster(partitions=1, producer=kafka.Producer(acks=acks))
    trouble = [faults.slow_network("broker-2", "broker-3", extra=followers_late, at=0.5, lasts=5),
               faults.crash("broker-1", at=crash_at, lasts=10)]
    run = simulate(cluster, Workload(rate=500, seconds=5, keys=50), faults=trouble, seed=7)
    return run.shown_as(lambda run: log_ends(run, at=crash_at + 1))


def was_lucky(run) -> bool:
    """Whether a leader that spoke for late followers died and took nothing along."""
    late, died = (any(fault.kind == kind for fault in run.faults) for kind in ("slow_network", "crash"))
    return late and died and run.system.producer.acks == 1 and missing(run) == 0


def log_ends(run, at: float) -> Picture:
    """Where logs end at one moment and what is acknowledged; hatched: the part of it that only one replica has."""
    table, promised = replicas(run, at), acknowledged_end(run, at)
    ends = dict(zip(table["replica"], table["log end"]))
    second = sorted(ends.values())[-2]
    alone = max(promised - second, 0)
    told = ", ".join(f"{name} {end:,}" for name, end in ends.items())
    title = f"{alone:,} acknowledged records have one copy" if alone else "What is acknowledged has a second copy"
    caption = sentence(f"Log ends at {at:g} s: {told}; acknowledged up to {promised:,} (dashed).", run.seed)
    figure, (axis,) = picture(title, caption, height=1.5, left=1.0)
    _draw_logs(axis, ends, promised, second)
    return figure


def _draw_logs(axis, ends: dict[str, int], promised: int, second: int) -> None:
    for row, end in enumerate(ends.values()):
        axis.barh(row, end, height=0.55, color=style.LIGHT["broker"], alpha=0.55)
        axis.barh(row, max(min(end, promised) - second, 0), left=second, height=0.55, color=style.LIGHT["lost"],
                  hatch="//", edgecolor="white", linewidth=0)
    axis.axvline(promised, color=style.LIGHT["ink"], linestyle="--", linewidth=1.4)
    low, high = min(promised, *ends.values()), max(promised, *ends.values())
    axis.set(xlim=(max(low - 20, 0), high + 10), ylim=(len(ends) - 0.5, -0.5))
    axis.set_yticks(range(len(ends)), list(ends))
    words(axis, "offset")


def acknowledged_end(run, at: float) -> int:
    """The offset after the last record that its producer believed to be written at that moment."""
    rows = run.history.acknowledged()
    rows = rows[rows["completed"] <= at]
    return int((rows["value"] + rows["count"]).max(initial=0))


# Closed forms beside the model

ONE_WAY = distributions.Exponential(0.002)  # seconds from one zone to another, in the experiment on the slowest copy


def one_copy(t) -> np.ndarray:
    """Probability that a copy is confirmed within t seconds: out with the records, back with the next fetch."""
    return 1 - np.exp(-np.asarray(t) / ONE_WAY.mean) * (1 + np.asarray(t) / ONE_WAY.mean)


def slowest_copy(replicas: int, records: int = 1500, seed: int = 3):
    """A run with each replica in a zone of its own, no batching, and no way to speak of between producer and leader."""
    network = NetworkProfile(same_zone=0.0, cross_zone=ONE_WAY)
    cluster = kafka.Cluster(brokers=replicas, replication=replicas, partitions=1, zones=tuple("abcde"[:replicas]),
                            network=network, producer=kafka.Producer(linger=0.0))
    return simulate(cluster, Workload(rate=10, seconds=records / 10, consumers=0), seed=seed, trace=False)


def waiting_for(k: int, followers: int) -> tuple:
    """The distribution of the wait for k of so many copies, as the theory of a latency figure."""
    t = np.linspace(0, 0.04, 400)
    share = np.array([theory.kth_of_n_cdf(p, k, followers) for p in one_copy(t).tolist()])
    return t, share, f"theory: {k} of {followers} copies"


def p99_wait(k: int, followers: int) -> float:
    """Seconds within which k of so many copies are confirmed 99 times in 100."""
    t, share, _ = waiting_for(k, followers)
    return float(np.interp(0.99, share, t))


def copies_picture(run, replicas: int) -> Picture:
    """The measured wait for all copies, with theory: for all of them (dashed), for a Raft log's majority (dotted)."""
    followers = replicas - 1
    figure = figures.latency_cdf(run.history, theory=waiting_for(followers, followers), seed=run.seed)
    figure.caption += f" Dotted: theory for {replicas // 2} of {followers}, a majority together with the leader."
    t, share, label = waiting_for(replicas // 2, followers)
    nines = -np.log10(np.maximum(1 - share, 1e-12))  # the scale of the figure's axis
    figure.axes[0].plot(t, nines, ":", color=style.LIGHT["ink"], label=f"{label} (majority)")
    figure.axes[0].legend(fontsize=style.SMALL, frameon=False, loc="upper left")
    return figure


def linger_theory(rate: float, base: float, longest: float = 0.05) -> tuple:
    """Mean delay by linger as the theory of a sweep: what batching costs, on top of what a send without it takes."""
    lingers = np.linspace(0, longest, 50)
    means = [base + theory.linger_delay(rate, linger) for linger in lingers]
    return lingers, means, "theory: base + L(1 + λL/2)/(1 + λL)"
