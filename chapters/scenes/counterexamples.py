"""The schedules that broke each version of Kafka's replication, small enough to be seen whole: a record a second.

Each is a cluster, a workload, faults and a seed; `on(rung)` replays exactly that under one rung of the ladder. Sources:
the motivation of KIP-101 (cwiki.apache.org, scenarios 1 and 2), KIP-279 with github.com/apache/kafka/pull/4882,
KAFKA-6880 (the zombie that KIP-320 fences), KIP-966 ("last replica standing"), and Kip101.tla to Kip320.tla in
github.com/hachikuji/kafka-specification.

What differs from the texts: KIP-101 tells its first scenario with a follower that restarts. Here it is told to follow
another leader, which makes it truncate just the same; the controller of today would not let it back in so quickly after
a restart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from simulator import Workload, faults, kafka, simulate
from simulator.brokers.kafka.reconciliation import LADDER
from simulator.evidence.history import FINAL_READER, values_of
from simulator.evidence.report import LOSS, plural
from simulator.kernel.disk import DiskProfile
from simulator.kernel.faults import Fault
from simulator.run import Run

# No retries: what a leader could not commit is never sent again, so that every offset shows whose record it holds.
ONCE = kafka.Producer(linger=0.0, retries=0, request_timeout=1.0, delivery_timeout=2.0)
SMALL = kafka.Cluster(partitions=1, producer=ONCE, broker_session_timeout=1.0, broker_heartbeat_interval=0.3,
                      replica_fetch_backoff=0.2)


@dataclass(frozen=True)
class Counterexample:
    """What `simulate` needs, but for the rung."""
    cluster: kafka.Cluster
    seconds: float
    faults: tuple[Fault, ...]
    seed: int = 7

    def on(self, rung: str, trace: bool = True) -> Run:
        """The same execution under this rung."""
        workload = Workload(rate=1, seconds=self.seconds, arrivals="even", keys=None)
        return simulate(replace(self.cluster, replication_protocol=rung), workload, faults=self.faults,
                        seed=self.seed, trace=trace)

    def ladder(self) -> dict[str, Run]:
        """The same execution under every rung, lowest first."""
        return {rung: self.on(rung) for rung in LADDER}


def forgetful_follower(crash_at: float = 4.2) -> Counterexample:
    """A record is acknowledged and its leader dies; two followers have it, one has not heard that it is committed.

    broker-2 takes over, broker-3 follows it, and before it can fetch anything broker-2 dies, too. broker-2 is a little
    slower than broker-3, so its fetch is the one that commits: broker-3 hears of that half a second later, with its
    next fetch.
    """
    return Counterexample(SMALL, 12, (
        faults.slow_network("broker-2", extra=0.01, at=0, lasts=4.1),
        faults.crash("broker-1", at=crash_at, lasts=3),
        faults.partition(["broker-2"], ["broker-3"], at=crash_at + 0.1, lasts=3),
        faults.crash("broker-2", at=crash_at + 1.6, lasts=2)))


def hard_reset() -> Counterexample:
    """Both brokers go down, and broker-2 loses what its disk had not written; it comes back first and leads.

    One in-sync replica is enough here, as with Kafka's default `min.insync.replicas=1`.
    """
    cluster = replace(SMALL, brokers=2, replication=2, min_insync=1, disk=DiskProfile(writeback=1.2))
    return Counterexample(cluster, 12, (
        faults.crash("broker-1", at=4.5, lasts=6),
        faults.power_loss("broker-2", at=4.8, lasts=2)))


def fast_leader_changes() -> Counterexample:
    """Two leaders in a row write a record that the next does not have; the third asks and answers by end offset alone.

    broker-1 gives a record to broker-3 only, and dies. broker-2 writes another at that offset, and dies. broker-3 leads
    with the first.
    """
    return Counterexample(SMALL, 12, (
        faults.partition(["broker-1"], ["broker-2"], at=2.5, lasts=3),
        faults.crash("broker-1", at=3.2, lasts=3),
        faults.partition(["broker-2"], ["broker-3"], at=3.3, lasts=4),
        faults.crash("broker-2", at=4.9, lasts=4)))


def zombie_follower() -> Counterexample:
    """broker-3 loses the controller and sleeps through two changes of leader; then the leader it knew leads again.

    It had two records of broker-1's first term that were never committed. While broker-2 led, others were written in
    their place.
    """
    return Counterexample(SMALL, 22, (
        faults.partition(["broker-1"], ["broker-2"], at=2.5, lasts=3.4),
        faults.partition(["broker-3"], ["controller"], at=2.6, lasts=12),
        faults.crash("broker-1", at=4.5, lasts=1.5),
        faults.crash("broker-2", at=9.5, lasts=2.5),
        faults.crash("broker-1", at=17, lasts=5),
        faults.crash("broker-2", at=17.5, lasts=5)))


def last_replica_standing() -> Counterexample:
    """Two of three replicas leave the in-sync set one by one; the last loses power, and what two had acknowledged."""
    return Counterexample(replace(SMALL, disk=DiskProfile(writeback=4.0)), 16, (
        faults.isolate("broker-1", at=3.5, lasts=7),
        faults.isolate("broker-3", at=6.7, lasts=3),
        faults.power_loss("broker-2", at=8.5, lasts=2.5)))


def sleeping_consumer() -> Counterexample:
    """The hard reset, slept through by the consumer: its position is inside the new leader's log again."""
    reset = hard_reset()
    return replace(reset, faults=(*reset.faults, faults.pause("consumer-1", at=4.2, lasts=7.2)))


ALL = {schedule.__name__: schedule for schedule in
       (forgetful_follower, hard_reset, fast_leader_changes, zombie_follower, last_replica_standing)}


# What came of it

KEEPS = "keeps everything"


def lost(run: Run) -> int:
    """How many acknowledged records are gone."""
    return sum(run.report.verdicts[kind].records for kind in LOSS if kind in run.report.verdicts)


def diverged(run: Run) -> int:
    """At how many offsets below the high watermark a replica holds another record than its leader."""
    found = run.report.verdicts.get("log divergence")  # none where nothing was ever committed
    return found.records if found else 0


def unread(run: Run) -> list[int]:
    """The records that are in the log and that no consumer was ever given, although all were asked for."""
    rows, reader = run.history.polls.rows, run.history.processes.code(FINAL_READER)
    final = rows["process"] == reader
    return sorted(set(values_of(rows[final]).tolist()) - set(values_of(rows[~final]).tolist()))


def verdict(run: Run) -> str:
    """Both in words."""
    found = [f"loses {plural(lost(run), 'record')}"] * (lost(run) > 0)
    found += [f"diverges at {plural(diverged(run), 'offset')}"] * (diverged(run) > 0)
    return " and ".join(found) or KEEPS


def table():
    """Every schedule on every rung, in words (pandas)."""
    import pandas as pd
    rows = {name: {rung: verdict(schedule().on(rung, trace=False)) for rung in LADDER}
            for name, schedule in ALL.items()}
    return pd.DataFrame.from_dict(rows, orient="index")
