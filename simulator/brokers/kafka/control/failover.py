"""How long nobody decides after the active controller was killed, by the number of partitions.

    detect   until somebody notices: a fetch timeout of a voter, or the end of a ZooKeeper session
    elect    until somebody else has the office
    load     until it knows what it must know; a KRaft voter knows already, its copy of the log is in memory
    tell     until every broker has heard of it: brokers find the new leader of the log, or are sent everything

KRaft's four are simulated: a quorum and its observers, in whose log the metadata of all partitions is one entry.
ZooKeeper's are drawn: where in its last ping interval a session stood, and the fitted `load` seconds a partition.

MEASURED is what the fit rests on. Only the order of magnitude is in it: other clusters, other versions, and for
LinkedIn a lower bound of the partitions. No published measurement of KRaft's fail-over was found; a chart of one
vendor's laboratory exists as an image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ....kernel.distributions import Uniform, check, is_whole
from ....kernel.raft import Entry, Group, Member
from ....kernel.world import World
from .config import KRaft, ZooKeeper
from .metadata import RECORD_BYTES
from .zookeeper import PINGS

MOST = 2_000_000
GRID = [*(1_000 * 2 ** doubling for doubling in range(11)), MOST]
CRASH_AT = 3.0
UPDATE_BYTES = 100  # of a partition in LeaderAndIsr and UpdateMetadata together, about


class Measurement(NamedTuple):
    """A published figure: how long a new controller took to read its state from ZooKeeper and get ready."""
    partitions: int
    seconds: float
    version: str
    source: str


BLOG = "confluent.io/blog/apache-kafka-supports-200k-partitions-per-cluster (2018)"
MEASURED = (
    Measurement(100_000, 28.0, "Kafka 1.0", BLOG),
    Measurement(100_000, 14.0, "Kafka 1.1", BLOG),
    Measurement(140_000, 7.4, "trunk 2018-09", "github.com/apache/kafka/pull/5101, first run"),
    Measurement(140_000, 14.9, "trunk 2018-09", "github.com/apache/kafka/pull/5101, second run"),
    Measurement(200_000, 60.0, "LinkedIn 3.0", "github.com/linkedin/kafka/pull/361 (2022): above 200,000, nearly 60 s"),
)


@dataclass(frozen=True)
class FailOver:
    """One fail-over, in seconds."""
    detect: float
    elect: float
    load: float
    tell: float

    @property
    def seconds(self) -> float:
        """From the death of the controller until every broker has a new one."""
        return self.detect + self.elect + self.load + self.tell


def fail_over(control: KRaft | ZooKeeper, partitions: int, seed: int = 0, brokers: int = 3) -> FailOver:
    """What happens when the active controller of a cluster with so many partitions is killed; roles are apart."""
    check("control", control, isinstance(control, (KRaft, ZooKeeper)), "KRaft(...) or ZooKeeper(...)")
    possible = is_whole(partitions) and 1 <= partitions <= MOST
    check("partitions", partitions, possible, f"a whole number from 1 to {MOST:,}")
    world = World(seed)
    return (_of_zookeeper if isinstance(control, ZooKeeper) else _of_kraft)(world, control, partitions, brokers)


def curve(controls: dict[str, KRaft | ZooKeeper], partitions: list[int], seeds: int = 20) -> list[dict]:
    """One row a control plane, number of partitions and seed: {"control", "partitions", "seed", "seconds"}."""
    return [{"control": name, "partitions": count, "seed": seed, "seconds": fail_over(control, count, seed).seconds}
            for name, control in controls.items() for count in partitions for seed in range(seeds)]


def _of_zookeeper(world: World, control: ZooKeeper, partitions: int, brokers: int) -> FailOver:
    since_ping = world.sampler("zookeeper/ping", Uniform(0.0, control.session_timeout / PINGS))()
    round_trip = 2 * world.sampler("zookeeper/latency", world.network.profile.cross_zone)()
    load = world.sampler("zookeeper/load", control.load)() * partitions
    tell = brokers * partitions * UPDATE_BYTES / world.network.profile.bandwidth
    return FailOver(control.session_timeout - since_ping, round_trip, load, tell)


def _of_kraft(world: World, control: KRaft, partitions: int, brokers: int) -> FailOver:
    check("voters", control.voters, control.voters >= 3, "at least 3, or nobody can take over")
    voters = [world.node(f"controller-{i + 1}", "controller", "abc"[i % 3]) for i in range(control.voters)]
    observers = [world.node(f"broker-{i + 1}", "broker", "abc"[i % 3]) for i in range(brokers)]
    group = Group(world, "__cluster_metadata", voters, control.raft, observers)
    knows: dict[str, float] = {}  # member -> when it had applied the first entry of the new leader's term

    def apply(member: Member, offset: int, entry: Entry, event: int) -> None:
        if entry.value is None and world.now > crash_at:
            knows[member.name] = world.now
    group.apply = apply
    group.begin_with(partitions, RECORD_BYTES * partitions)
    group.voters[0].stand()
    crash_at = CRASH_AT + world.sampler("crash", Uniform(0.0, 1.0))()
    world.after(crash_at, voters[0].crash)
    waiting = [node.name for node in observers]
    world.run(crash_at + 60, quiet=lambda: all(name in knows for name in waiting), check_every=0.5)
    rows = world.trace.events.rows
    noticed = min(float(time) for time in rows["time"][world.trace.where("prospective")] if time > crash_at)
    elected, told = min(knows.values()), max(knows[name] for name in waiting)
    return FailOver(noticed - crash_at, elected - noticed, 0.0, told - elected)
