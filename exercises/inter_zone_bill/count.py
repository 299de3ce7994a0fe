"""The judge's own count: the way of every byte, the least that must cross zones, and what a lost zone leaves."""
from collections import defaultdict
from collections.abc import Iterator
from itertools import permutations
from typing import NamedTuple

from .topology import MIN_INSYNC, Topology

KINDS = ("produce", "replication", "consume")


class Journey(NamedTuple):
    """So many MB a second from one zone to another (or the same), and who sends them to whom."""
    kind: str
    source: str
    target: str
    rate: float
    who: str


def journeys(topology: Topology) -> Iterator[Journey]:
    """Every way that records take: to the leader, from it to each follower, and to each group."""
    zone, held = topology.brokers, topology.partitions
    for producer in topology.producers:
        for partition, rate in producer.writes.items():
            leader = held[partition][0]
            yield Journey("produce", producer.zone, zone[leader], rate, f"{partition} from {producer.name} to {leader}")
    for partition, (leader, *followers) in held.items():
        for each in followers:
            yield Journey("replication", zone[leader], zone[each], topology.written(partition),
                          f"{partition} from {leader} to {each}")
    for consumer in topology.consumers:
        for partition in consumer.reads:
            source = serving(topology, partition, consumer.zone)
            yield Journey("consume", zone[source], consumer.zone, topology.written(partition),
                          f"{partition} from {source} to {consumer.name}")


def serving(topology: Topology, partition: str, zone: str) -> str:
    """The broker that a consumer in this zone reads a partition from."""
    replicas = topology.partitions[partition]
    near = [each for each in replicas if topology.brokers[each] == zone]
    return near[0] if topology.nearest and near and topology.brokers[replicas[0]] != zone else replicas[0]


def crossing(topology: Topology) -> dict[tuple[str, str, str], float]:
    """MB a second that change zone: (kind, from, to) -> rate."""
    found = defaultdict(float)
    for kind, source, target, rate, _ in journeys(topology):
        if source != target:
            found[kind, source, target] += rate
    return dict(found)


def total(topology: Topology) -> float:
    """MB a second that change zone."""
    return sum(crossing(topology).values())


def survives(zones: tuple[str, ...]) -> bool:
    """Whether replicas in these zones stay enough to write to, whichever zone is lost."""
    return all(sum(each != lost for each in zones) >= MIN_INSYNC for lost in zones)


def least(topology: Topology) -> float:
    """The least that crosses under any placement of three replicas that survives the loss of a zone."""
    return sum(cheapest(topology, partition)[0] for partition in topology.partitions)


def cheapest(topology: Topology, partition: str) -> tuple[float, tuple[str, ...]]:
    """The least MB/s that a partition sends between zones, and the brokers that do it; every placement is tried."""
    placements = [each for each in permutations(topology.brokers, 3)
                  if survives(tuple(topology.brokers[broker] for broker in each))]
    return min((crossing_of(topology, partition, each), each) for each in placements)


def crossing_of(topology: Topology, partition: str, replicas: tuple[str, ...]) -> float:
    """What crosses for one partition if these brokers hold it and each group has its best-placed member read it."""
    zone = topology.brokers
    there, written = [zone[broker] for broker in replicas], topology.written(partition)
    produce = sum(each.writes.get(partition, 0.0) for each in topology.producers if each.zone != there[0])
    replication = written * sum(each != there[0] for each in there[1:])
    groups = {each.group for each in topology.consumers}
    near = {each.group for each in topology.consumers if each.zone in there}
    return produce + replication + written * len(groups - near)
