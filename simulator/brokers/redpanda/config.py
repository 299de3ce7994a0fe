"""What can be set about a Redpanda cluster, with the defaults of Redpanda 26.1 (units: seconds and bytes)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ...kernel.disk import DiskProfile
from ...kernel.distributions import Uniform
from ...kernel.network import NetworkProfile
from ...kernel.raft import Config as Raft
from ..kafka.config import Consumer, Producer
from ..settings import boolean, changes, check, instance, positive_seconds, seconds, whole, zone_names


@dataclass(frozen=True)
class Transform:
    """A WebAssembly function that the broker runs on every committed record; what it returns goes into an output topic.

    cpu: seconds of the partition's core that one record costs. commit_interval: how often it writes down how far it
    came (`data_transforms_commit_interval_ms`); a new leader of the partition goes on from there, and so may repeat
    what was done since.
    """
    cpu: float = 0.0001
    commit_interval: float = 3.0

    def __post_init__(self):
        seconds(self, "cpu")
        positive_seconds(self, "commit_interval")


@dataclass(frozen=True)
class Cluster:
    """Brokers with a Raft group for every partition, and Kafka's producer and consumers as their clients.

    replication: voters of each group, an odd number (Redpanda refuses even ones). fsync: acks="all" is answered once a
    majority has the batch on disk; False is `write_caching_default`: once a majority has
        it in memory, flushed at most `max_flush_delay` (`raft_replica_max_flush_delay_ms`) later.
    heartbeat, election_timeout: `raft_heartbeat_interval_ms`, `election_timeout_ms` (and a fifth of it in jitter at
    most). cores, thread_per_core: every partition belongs to one core (Seastar); False is a pool in which any core
    takes any request. request_cpu: seconds of a core for each batch; 0, as in the Kafka model, leaves the queue at the
    cores out. transform: a function that runs in the broker, None for none.
    """
    brokers: int = 3
    partitions: int = 6
    replication: int = 3
    fsync: bool = True
    max_flush_delay: float = 0.1
    zones: tuple[str, ...] = ("a", "b", "c")
    producer: Producer = field(default_factory=Producer)
    consumer: Consumer = field(default_factory=Consumer)
    heartbeat: float = 0.15
    election_timeout: float = 1.5
    cores: int = 2
    thread_per_core: bool = True
    request_cpu: float = 0.0
    transform: Transform | None = None
    network: NetworkProfile = field(default_factory=NetworkProfile)
    disk: DiskProfile = field(default_factory=DiskProfile)

    def __post_init__(self):
        for name in ("brokers", "partitions", "replication", "cores"):
            whole(self, name, 1)
        check(self, "brokers", self.brokers <= 60,
              "at most 60: this model is for looking at, not for capacity planning")
        odd = self.replication % 2 == 1 and self.replication <= min(7, self.brokers)
        check(self, "replication", odd, f"odd and at most the number of brokers ({self.brokers}) and 7")
        zone_names(self, "zones")
        for name in ("fsync", "thread_per_core"):
            boolean(self, name)
        for name in ("max_flush_delay", "heartbeat", "election_timeout"):
            positive_seconds(self, name)
        seconds(self, "request_cpu")
        check(self, "heartbeat", self.heartbeat < self.election_timeout,
              f"shorter than election_timeout, which is {self.election_timeout:g} seconds")
        for name, kind in (("producer", Producer), ("consumer", Consumer), ("network", NetworkProfile),
                           ("disk", DiskProfile)):
            instance(self, name, kind)
        check(self, "consumer", not self.consumer.rack, "without rack: this model has no reading from followers")
        check(self, "transform", self.transform is None or isinstance(self.transform, Transform), "None or a Transform")

    @property
    def raft(self) -> Raft:
        """The settings of every partition's group."""
        patience = Uniform(1.1 * self.election_timeout, 1.2 * self.election_timeout)
        return Raft.redpanda(fsync=self.fsync, heartbeat=self.heartbeat, election_timeout=patience,
                             check_quorum=self.election_timeout)

    @property
    def disks(self) -> DiskProfile:
        """The brokers' disks; with write caching Redpanda flushes long before the operating system would."""
        return self.disk if self.fsync else replace(self.disk, writeback=min(self.max_flush_delay, self.disk.writeback))

    def build(self, world, workload):
        """The running system in this world (see `cluster.RedpandaSystem`)."""
        from .cluster import RedpandaSystem
        return RedpandaSystem(self, world, workload)

    def __str__(self) -> str:
        """Only what differs from the defaults."""
        return f"Redpanda({', '.join(filter(None, (changes(self), changes(self.producer), changes(self.consumer))))})"
