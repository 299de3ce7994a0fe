"""The topology laid into the simulator: what its meters say, and what is left when a zone is gone.

A partition that several producers write to is laid as several with the same replicas, one for each of them: the bytes
are the same. A run depends on nothing but its topology, so the learner's kernel and the grader's process see the same.
"""
import json
from dataclasses import dataclass
from functools import cache

from simulator import Workload, faults, kafka, simulate
from simulator.evidence.history import FINAL_READER, OK

from .topology import MIN_INSYNC, Topology

RECORD = 10_000   # bytes
SECONDS = 1.0     # for so long records come
DIES_AT = 0.5     # when a zone loses its power
FEW = 20.0        # records a second for each producer and partition where only their fate counts
CALLED = {"produce": "produce", "fetched": "replication", "polled": "consume"}  # messages that carry records


def lanes_of(topology: Topology) -> list[tuple[str, int]]:
    """Each partition once for each of its producers: (partition, number of the producer)."""
    return [(partition, number) for number, each in enumerate(topology.producers) for partition in each.writes]


def cluster_of(topology: Topology, few: bool = False) -> kafka.Cluster:
    """The cluster with its clients; with `few`, all partitions get the same few records."""
    lanes, brokers = lanes_of(topology), list(topology.brokers)
    producers = [(each.zone, tuple(lane for lane, (_, who) in enumerate(lanes) if who == number))
                 for number, each in enumerate(topology.producers)]
    consumers = [(each.zone, tuple(lane for lane, (partition, _) in enumerate(lanes) if partition in each.reads))
                 for each in topology.consumers]
    replicas = [tuple(brokers.index(broker) + 1 for broker in topology.partitions[partition]) for partition, _ in lanes]
    shares = [1.0 if few else topology.producers[who].writes[partition] for partition, who in lanes]
    return kafka.Cluster(
        brokers=len(brokers), zones=tuple(topology.brokers.values()), partitions=len(lanes),
        replication=len(replicas[0]), min_insync=min(MIN_INSYNC, len(replicas[0])),
        placement=kafka.Placement(tuple(replicas), tuple(producers), tuple(consumers), tuple(shares)),
        producer=kafka.Producer(linger=0.1, batch_size=2_000_000, request_timeout=4.0, delivery_timeout=20.0),
        consumer=kafka.Consumer(rack=topology.nearest, max_partition_fetch_bytes=4_000_000, fetch_max_wait=2.0,
                                auto_commit_interval=30.0),
        broker_heartbeat_interval=0.5, broker_session_timeout=1.5, replica_fetch_wait_max=2.0)


@dataclass(frozen=True)
class Metered:
    """MB a second between zones: `pairs[from, to]` by the run's meters, `kinds[kind, from, to]` by its records."""
    pairs: dict[tuple[str, str], float]
    kinds: dict[tuple[str, str, str], float]

    @property
    def total(self) -> float:
        return sum(self.pairs.values())


def metered(topology: Topology) -> Metered:
    """What crosses zones in a calm run."""
    return _metered(json.dumps(topology.plain()))


@cache
def _metered(text: str) -> Metered:
    topology = Topology.of(json.loads(text))
    rate = sum(map(topology.written, topology.partitions)) * 1e6 / RECORD
    run = simulate(cluster_of(topology), Workload(rate=rate, record_bytes=RECORD, seconds=SECONDS, arrivals="even"))
    pairs = {pair: amount / 1e6 / SECONDS for pair, amount in run.meters.traffic.items() if pair[0] != pair[1]}
    rows, nodes, kinds = run.trace.events.rows, run.trace.nodes, {}
    for message, kind in CALLED.items():
        for row in rows[run.trace.where(message)]:
            way = kind, nodes[row["node"]].zone, nodes[row["peer"]].zone
            if way[1] != way[2] and row["count"]:
                kinds[way] = kinds.get(way, 0.0) + float(row["count"]) * RECORD / 1e6 / SECONDS
    return Metered(pairs, kinds)


@dataclass(frozen=True)
class Aftermath:
    """Records that a lost zone took along: refused and lost by partition, unread by (consumer, partition)."""
    refused: dict[str, int]
    lost: dict[str, int]
    unread: dict[tuple[str, str], int]


def without(topology: Topology, zone: str) -> Aftermath:
    """What is left when all brokers of a zone lose their power for good; clients go on."""
    return _without(json.dumps(topology.plain()), zone)


@cache
def _without(text: str, zone: str) -> Aftermath:
    topology = Topology.of(json.loads(text))
    lanes, run = lanes_of(topology), losing(topology, zone)
    sends, polls = run.history.sends.rows, run.history.polls.rows
    stored = [records(sends[(sends["key"] == lane) & (sends["type"] == OK)]) for lane, _ in enumerate(lanes)]
    refused = [records(sends[(sends["key"] == lane) & (sends["type"] != OK)]) for lane, _ in enumerate(lanes)]

    def got(reader: str, lane: int) -> int:
        """Records of a lane that a reader has at the end, none counted twice."""
        mine = polls[(polls["process"] == run.history.processes.code(reader)) & (polls["key"] == lane)]
        return len({offset for row in mine for offset in range(row["offset"], row["offset"] + row["count"])})

    lost = [stored[lane] - got(FINAL_READER, lane) for lane, _ in enumerate(lanes)]
    unread = {}
    for number, consumer in enumerate(topology.consumers, start=1):
        for lane, (partition, _) in enumerate(lanes):
            if partition in consumer.reads:
                left = stored[lane] - got(f"consumer-{number}", lane)
                unread[consumer.name, partition] = unread.get((consumer.name, partition), 0) + left
    return Aftermath(by_partition(lanes, refused), by_partition(lanes, lost),
                     {who: left for who, left in unread.items() if left > 0})


def losing(topology: Topology, zone: str, trace: bool = False):
    """A run with few records in which a zone is lost while they are written."""
    dead = [f"broker-{number}" for number, where in enumerate(topology.brokers.values(), start=1) if where == zone]
    work = Workload(rate=FEW * len(lanes_of(topology)), record_bytes=RECORD, seconds=SECONDS, arrivals="even")
    return simulate(cluster_of(topology, few=True), work, faults=[faults.power_loss(*dead, at=DIES_AT)], settle=100.0,
                    trace=trace)


def records(rows) -> int:
    return int(rows["count"].sum())


def by_partition(lanes: list[tuple[str, int]], numbers: list[int]) -> dict[str, int]:
    """What there is of lanes, by the partition; nothing is left out."""
    found = {}
    for (partition, _), number in zip(lanes, numbers):
        if number > 0:
            found[partition] = found.get(partition, 0) + number
    return found
