"""Chapter 04: two rules for the same three copies, pauses, cores, and what a loss of power takes.

Everything here reads recorded evidence; how Redpanda works is in `simulator/brokers/redpanda`, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from simulator import Pauses, Workload, distributions, faults, kafka, redpanda, simulate, theory
from simulator.kernel.disk import DiskProfile
from simulator.kernel.network import NetworkProfile
from simulator.views import style
from simulator.views.curves import compare
from simulator.views.picture import Picture, sentence

from .curves import SEED, finish, marks, panels, theory_line
from .kafka import missing

SLOWEST, MAJORITY = "slowest in-sync (Kafka)", "majority (Redpanda)"
BROKERS = ("broker-1", "broker-2", "broker-3")
ANSWER = 0.010   # s, mean of a follower's answer where only the rule counts
EAGER = kafka.Producer(linger=0.0)
BARE = dict(partitions=1, network=NetworkProfile.instant(), zones=("a",), producer=EAGER)


def both(replication: int = 3) -> dict:
    """The same partition under both rules, with a flush after each batch in neither: one difference only."""
    size = dict(brokers=replication, replication=replication, partitions=1)
    return {SLOWEST: kafka.Cluster(**size), MAJORITY: redpanda.Cluster(fsync=False, **size)}


# Who must answer

@dataclass(frozen=True)
class SlowAnswers:
    """A system whose followers need an exponential time for everything that the leader sends them."""
    system: object

    @property
    def network(self) -> NetworkProfile:
        return self.system.network

    def build(self, world, workload):
        """The running system, with other links."""
        running = self.system.build(world, workload)
        leader, *followers = [broker.node for broker in running.brokers]
        for node in followers:
            slow = world.sampler(f"slow/{node.name}", distributions.Exponential(ANSWER))
            world.network.link(leader, node).latency = slow
        return running


def wait(rule: str, replication: int) -> float:
    """Mean seconds that 1,500 sends wait for followers."""
    size = dict(brokers=replication, replication=replication, **BARE)
    system = (kafka.Cluster(min_insync=1, replica_fetch_wait_max=100.0, **size) if rule == SLOWEST else
              redpanda.Cluster(fsync=False, heartbeat=0.97, election_timeout=20.0, **size))
    workload = Workload(rate=5, seconds=300, arrivals="even", consumers=0)
    return simulate(SlowAnswers(system), workload, seed=SEED, trace=False).latency.mean


def expected(rule: str, replication: int) -> float:
    """The same by order statistics."""
    followers = replication - 1
    return theory.kth_of_n_exponential_mean(ANSWER, followers if rule == SLOWEST else followers // 2, followers)


@cache
def rules() -> Picture:
    """The mean wait for the slowest of all followers and for a majority, by the number of replicas."""
    sizes = (3, 5, 7)
    found = {rule: [1000 * wait(rule, size) for size in sizes] for rule in (SLOWEST, MAJORITY)}
    caption = sentence(f"Mean wait for followers whose answers take {1000 * ANSWER:g} ms on average, exponential; "
                       f"marks: model, dashed: order statistics. "
                       + "; ".join(f"{rule}: {', '.join(f'{ms:.1f}' for ms in found[rule])} ms for "
                                                                 f"3, 5, 7 replicas" for rule in found) + ".", SEED)
    figure, (axis,) = panels("The slowest gets slower with every replica, the median does not", caption, 1)
    for number, rule in enumerate(found):
        theory_line(axis, sizes, [1000 * expected(rule, size) for size in sizes],
                    "order statistics" if number == 0 else None)
    marks(axis, {rule: (sizes, found[rule]) for rule in found})
    axis.set_xticks(sizes)
    finish(axis, "replicas", "mean wait (ms)")
    return figure


# A follower stands still

@cache
def standing_still() -> dict:
    """One follower is paused for four seconds, under both rules."""
    workload = Workload(rate=100, seconds=10, keys=50)
    return {rule: simulate(system, workload, faults=[faults.pause("broker-2", at=4, lasts=4)], seed=SEED)
            for rule, system in both().items()}


def slowest(run) -> float:
    """The longest that any record waited for its acknowledgement, in seconds."""
    return float(np.max(run.latency.seconds))


# Pauses, and the rule: four pictures

def four(length_ms: float = 9.1, gap: float = 1.0, replication: int = 3) -> Picture:
    """Both rules, with pauses and without; `length_ms` and `gap` (s) are means, exponential.

    Over the lower row lies what order statistics make of the upper one.
    """
    runs = _four(length_ms, gap, replication)
    figure = tails(runs, *(runs[f"{rule}, pauses"] for rule in (SLOWEST, MAJORITY)),
                   " Dashed: order statistics of pauses, laid over the sends without.")
    for axis, rule in zip(figure.axes[2:], (SLOWEST, MAJORITY)):
        waits = np.geomspace(*axis.get_xlim(), 120)
        late = late_by_pauses(rule, waits, length_ms, gap, replication)
        theory_line(axis, waits, -np.log10(late), "order statistics")
        axis.legend(fontsize=style.SMALL, frameon=False, loc="lower right")
    return figure


def late_by_pauses(rule: str, waits, length_ms: float = 9.1, gap: float = 1.0, replication: int = 3) -> np.ndarray:
    """Share of sends that take longer than each wait: those without pauses, and order statistics of the pauses."""
    calm = _four(length_ms, gap, replication)[f"{rule}, no pauses"].latency.seconds
    followers = replication - 1
    k = followers if rule == SLOWEST else followers // 2
    left = np.asarray(waits)[:, None] - np.quantile(calm, np.arange(0.005, 1, 0.01))  # for pauses, by wait and send
    times = np.linspace(0, max(left.max(), 0.0), 200)
    in_time = [theory.paused_answer(length_ms / 1000, gap, k, followers, time) for time in times]
    return 1 - np.mean(np.interp(left, times, in_time, left=0.0), axis=1)


def turn(length_ms: float = 9.1, gap: float = 1.0, replication: int = 3) -> Picture:
    """Both rules with pauses, for fewer sends."""
    workload = Workload(rate=20, seconds=15, keys=50, consumers=0)
    runs = {rule: simulate(system, workload, seed=SEED, trace=False)
            for rule, system in paused(length_ms, gap, replication).items()}
    return tails(runs, *runs.values())


def tails(runs: dict, slowest, majority, note: str = "") -> Picture:
    """How long sends took, a panel a run; in the title the 99th percentiles of two of them."""
    p99 = [style.seconds(run.latency.p99) for run in (slowest, majority)]
    return compare({name: run.history for name, run in runs.items()}, seed=SEED, note=note,
                   title=f"With pauses p99 is {p99[0]} where all must answer, {p99[1]} for a majority")


def paused(length_ms: float, gap: float, replication: int) -> dict:
    """Both rules on brokers that stand still now and then."""
    return {rule: Pauses(system, length=distributions.Exponential(length_ms / 1000), gap=gap)
            for rule, system in both(replication).items()}


@cache
def _four(length_ms: float, gap: float, replication: int) -> dict:
    workload = Workload(rate=150, seconds=25, keys=50, consumers=0)
    rows = {"no pauses": both(replication), "pauses": paused(length_ms, gap, replication)}
    systems = {f"{rule}, {name}": system for name, these in rows.items() for rule, system in these.items()}
    return {name: simulate(system, workload, seed=SEED, trace=False) for name, system in systems.items()}


def tail(rule: str, pauses: bool, length_ms: float = 9.1, gap: float = 1.0, replication: int = 3) -> float:
    """The 99.9th percentile of produce latency, in seconds."""
    return _four(length_ms, gap, replication)[f"{rule}, {'pauses' if pauses else 'no pauses'}"].latency.p999


def share_of_followers(rule: str, length: float, gap: float) -> float:
    """Mean seconds that two followers' pauses add to a send, by order statistics."""
    return theory.paused_wait(length, gap, 2 if rule == SLOWEST else 1, 2)


def added_by_followers(length_ms: float = 9.1, gap: float = 1.0) -> dict[str, str]:
    """The same for both rules, in words."""
    return {rule: f"{1000 * share_of_followers(rule, length_ms / 1000, gap):.4f} ms" for rule in (SLOWEST, MAJORITY)}


# Cores

BUSY = 0.005  # s of a core for one batch


@cache
def cores() -> Picture:
    """The mean wait at four cores that own a partition each, and at a pool of four, by utilisation."""
    loads = (0.5, 0.8)
    found = {name: [1000 * at_core(owned, load) for load in loads]
             for name, owned in (("a queue a core", True), ("one pool", False))}
    told = "; ".join(f"{name}: {', '.join(f'{ms:.1f}' for ms in found[name])} ms" for name in found)
    caption = sentence(f"Mean wait for a core at 50 and 80 % load, {1000 * BUSY:g} ms of work a batch, four cores, "
                       f"four partitions in equal use; dashed: M/D/1. {told}.", SEED)
    figure, (axis,) = panels("A core that owns its partition gets no help from an idle one", caption, 1, height=2.4)
    grid = np.linspace(0.3, 0.85, 40)
    theory_line(axis, 100 * grid, [1000 * theory.md1_wait(load / BUSY, 1 / BUSY) for load in grid], "M/D/1")
    marks(axis, {name: (100 * np.array(loads), found[name]) for name in found})
    finish(axis, "load (%)", "mean wait (ms)")
    return figure


@cache
def at_core(owned: bool, load: float) -> float:
    """Mean seconds that 12,000 batches wait for a core, at four cores with a queue each or with one for all."""
    one_by_one = kafka.Producer(linger=0.0, batch_size=1, max_in_flight=1000, idempotence=False)
    system = redpanda.Cluster(brokers=1, replication=1, cores=4, request_cpu=BUSY, thread_per_core=owned, fsync=False,
                              **BARE | dict(partitions=4, producer=one_by_one))
    workload = Workload(rate=4 * load / BUSY, record_bytes=100, seconds=12_000 * BUSY / load / 4,
                        keys=10_000, consumers=0)
    return simulate(system, workload, seed=SEED, trace=False).latency.mean - BUSY


# Power

POWER = {"Kafka": kafka.Cluster(partitions=1),
         "Kafka, every batch flushed": kafka.Cluster(partitions=1, flush_every_batch=True),
         "Redpanda": redpanda.Cluster(partitions=1),
         "Redpanda, write caching": redpanda.Cluster(partitions=1, fsync=False)}
DRIVEN = Workload(rate=200, seconds=12, keys=50)
SHORT = Workload(rate=200, seconds=7, keys=50)


@cache
def blackout(*which: str, at: float = 8.0) -> dict:
    """All four clusters, whose brokers (or these of them) lose power together for three seconds."""
    trouble = [faults.power_loss(*which or BROKERS, at=at, lasts=3)]
    return {name: simulate(system, DRIVEN, faults=trouble, seed=SEED) for name, system in POWER.items()}


def losses(*which: str):
    """What each cluster lost, and what its sends took before (pandas)."""
    import pandas as pd
    return pd.DataFrame([{"cluster": name, "acknowledged and lost": missing(run),
                          "median produce (ms)": round(1000 * run.latency.p50, 1)}
                         for name, run in blackout(*which).items()]).set_index("cluster")


def dark(fsync: bool = True, max_flush_delay: float = 0.1, fsync_ms: float = 0.7):
    """One Redpanda that loses power on all brokers; a run, shown with its verdict."""
    system = redpanda.Cluster(partitions=1, fsync=fsync, max_flush_delay=max_flush_delay,
                              disk=DiskProfile(fsync=fsync_ms / 1000))
    return simulate(system, SHORT, faults=[faults.power_loss(*BROKERS, at=4.5, lasts=2)], seed=SEED)


# Transforms

@cache
def transformed():
    """The leader of a partition is killed while a function works on its records."""
    system = redpanda.Cluster(partitions=1, transform=redpanda.Transform())
    return simulate(system, DRIVEN, faults=[faults.crash("broker-1", at=5, lasts=4)], seed=SEED)


def again(run) -> int:
    """Records that the output topic has once more than it should."""
    return int(run.meters.counts["records transformed again"])


def left_out(run) -> int:
    """Acknowledged records that the output topic does not have."""
    return run.latency.n - int(run.meters.counts["records transformed"])

