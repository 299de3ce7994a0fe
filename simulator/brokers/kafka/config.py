"""What can be set: the cluster and its clients, with the defaults of Apache Kafka 4.2 (units: seconds and bytes).

Names are Kafka's own without the unit and with underscores: `linger` is `linger.ms`, `replica_lag_time_max` is
`replica.lag.time.max.ms`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from ...kernel.disk import DiskProfile
from ...kernel.network import NetworkProfile
from .control.config import KRaft, ZooKeeper
from ..settings import boolean, changes, check, instance, positive_seconds, seconds, whole, zone_names
from .placement import Placement
from .tiering.config import Tiering
from .reconciliation import LADDER, Reconciliation


@dataclass(frozen=True)
class Producer:
    """The producer's settings.

    acks: 0 (do not wait), 1 (the leader has it) or "all" (every in-sync replica has it). linger, batch_size: a batch is
    sent `linger` seconds after its first record or as soon as it holds `batch_size` bytes (KIP-1030: 5 ms since 4.0).
    max_in_flight: requests to one broker that may be unanswered. idempotence: the broker recognises a repeated batch
    (KIP-98, default since 3.0). idempotence: None turns it on whenever the other settings allow it. retries: how often
    a batch is sent again after a retriable error, within `delivery_timeout`.
    """
    acks: int | str = "all"
    linger: float = 0.005
    batch_size: int = 16_384
    max_in_flight: int = 5
    idempotence: bool | None = None
    retries: float = inf
    retry_backoff: float = 0.1
    retry_backoff_max: float = 1.0
    request_timeout: float = 30.0
    delivery_timeout: float = 120.0

    def __post_init__(self):
        check(self, "acks", self.acks in (0, 1, "all") and not isinstance(self.acks, bool), "0, 1 or 'all'")
        for name in ("linger", "retry_backoff", "retry_backoff_max"):
            seconds(self, name)
        for name in ("request_timeout", "delivery_timeout"):
            positive_seconds(self, name)
        for name in ("batch_size", "max_in_flight"):
            whole(self, name, 1)
        if self.retries != inf:
            whole(self, "retries", 0)
        check(self, "delivery_timeout", self.delivery_timeout >= self.linger + self.request_timeout,
               f"at least linger + request_timeout = {self.linger + self.request_timeout:g} seconds")
        check(self, "idempotence", self.idempotence is None or isinstance(self.idempotence, bool),
              "True, False or None")
        check(self, "idempotence", self._can_be_idempotent or not self.idempotence,
               "False or None unless acks='all', max_in_flight is at most 5 and retries is above 0")

    @property
    def _can_be_idempotent(self) -> bool:
        return self.acks == "all" and self.max_in_flight <= 5 and self.retries > 0

    @property
    def idempotent(self) -> bool:
        """Whether this producer is idempotent: as asked for, or else whenever the other settings allow it."""
        return self._can_be_idempotent if self.idempotence is None else bool(self.idempotence)


@dataclass(frozen=True)
class Consumer:
    """The consumer's settings: how long a fetch may wait, how much it brings, how often offsets are committed.

    rack: tell brokers the own zone (`client.rack`), to be sent to an in-sync replica there (KIP-392,
    `RackAwareReplicaSelector`).
    """
    fetch_max_wait: float = 0.5
    max_partition_fetch_bytes: int = 1_048_576
    max_poll_records: int = 500
    auto_commit_interval: float = 5.0
    rack: bool = False

    def __post_init__(self):
        for name in ("fetch_max_wait", "auto_commit_interval"):
            positive_seconds(self, name)
        boolean(self, "rack")
        for name in ("max_partition_fetch_bytes", "max_poll_records"):
            whole(self, name, 1)


@dataclass(frozen=True)
class Cluster:
    """Brokers spread over zones, one topic, its producer and its consumers.

    replication, min_insync: Kafka's own defaults are 1 and 1; the course starts from 3 and 2, as everyone should in
    production. unclean_leader_election: whether a replica that is not in sync may become leader when no other is left.
    replication_protocol: a rung of the ladder of `reconciliation`, from "truncate-to-high-watermark" to "kip-966". The
    last one brings eligible leader replicas, the default for new clusters since 4.1: the high watermark stands still
    below `min_insync`. tiering: segments, retention and an object store for what is old (KIP-405); None keeps
    everything on the brokers' disks. placement: where replicas and clients stand (see `placement`); None spreads both
    evenly over the zones. flush_every_batch: fsync before a batch counts as written (`log.flush.interval.messages=1`;
    Kafka advises against it). control: KRaft(...) or ZooKeeper(...), a control plane that fails over; None is a single
    controller that never fails.
    """
    brokers: int = 3
    partitions: int = 6
    replication: int = 3
    min_insync: int = 2
    zones: tuple[str, ...] = ("a", "b", "c")
    producer: Producer = field(default_factory=Producer)
    consumer: Consumer = field(default_factory=Consumer)
    unclean_leader_election: bool = False
    replication_protocol: str = "kip-966"
    flush_every_batch: bool = False
    control: KRaft | ZooKeeper | None = None
    replica_lag_time_max: float = 30.0
    replica_fetch_wait_max: float = 0.5
    replica_fetch_backoff: float = 1.0
    broker_heartbeat_interval: float = 2.0
    broker_session_timeout: float = 9.0
    tiering: Tiering | None = None
    placement: Placement | None = None
    network: NetworkProfile = field(default_factory=NetworkProfile)
    disk: DiskProfile = field(default_factory=DiskProfile)

    def __post_init__(self):
        for name in ("brokers", "partitions", "replication", "min_insync"):
            whole(self, name, 1)
        check(self, "brokers", self.brokers <= 60,
              "at most 60: this model is for looking at, not for capacity planning")
        check(self, "replication", self.replication <= self.brokers,
              f"at most the number of brokers, which is {self.brokers}")
        check(self, "min_insync", self.min_insync <= self.replication,
              f"at most the replication, which is {self.replication}")
        zone_names(self, "zones")
        for name in ("unclean_leader_election", "flush_every_batch"):
            boolean(self, name)
        check(self, "replication_protocol", self.replication_protocol in LADDER, f"one of {', '.join(LADDER)}")
        for name in ("replica_lag_time_max", "replica_fetch_wait_max", "replica_fetch_backoff",
                     "broker_heartbeat_interval", "broker_session_timeout"):
            positive_seconds(self, name)
        for name, kind in (("producer", Producer), ("consumer", Consumer), ("network", NetworkProfile),
                           ("disk", DiskProfile)):
            instance(self, name, kind)
        check(self, "control", self.control is None or isinstance(self.control, (KRaft, ZooKeeper)),
              "KRaft(...), ZooKeeper(...) or None")
        if self.control is not None:
            self.control.check_brokers(self.brokers)
        check(self, "replication_protocol", not (self.eligible_leader_replicas and isinstance(self.control, ZooKeeper)),
              "kip-320 or older with ZooKeeper: KIP-966 came with KRaft")
        check(self, "tiering", self.tiering is None or isinstance(self.tiering, Tiering), "None or a Tiering")
        check(self, "placement", self.placement is None or isinstance(self.placement, Placement), "None or a Placement")
        if self.placement is not None:
            self.placement.fit(self)
        check(self, "broker_session_timeout", self.broker_session_timeout > self.broker_heartbeat_interval,
              f"longer than broker_heartbeat_interval, which is {self.broker_heartbeat_interval:g} seconds")

    @property
    def eligible_leader_replicas(self) -> bool:
        """Whether the controller remembers who has every committed record although it is not in sync (KIP-966)."""
        return Reconciliation(self.replication_protocol).keeps_eligible

    def build(self, world, workload):
        """The running system in this world (see `cluster`, and `placed` for a cluster with a placement)."""
        from .cluster import KafkaSystem
        from .placed import PlacedSystem
        return (PlacedSystem if self.placement else KafkaSystem)(self, world, workload)

    def __str__(self) -> str:
        """Only what differs from the defaults."""
        return f"Kafka({', '.join(filter(None, (changes(self), changes(self.producer), changes(self.consumer))))})"
