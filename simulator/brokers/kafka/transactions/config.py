"""What can be set for transactions, with the defaults of Apache Kafka 4.2 (units: seconds)."""

from __future__ import annotations

from dataclasses import dataclass, field

from ....evidence.policy import ISOLATIONS
from ...settings import boolean, changes, check, instance, positive_seconds, seconds, whole
from ..config import Cluster

VERSIONS = (1, 2)


@dataclass(frozen=True)
class _Settings:
    """What both systems share.

    cluster: the brokers, their topics' partitions and replication, and the client settings that are not about
    transactions. transaction_version: 1 is KIP-98 as clients before 4.0 speak it, 2 is KIP-890: a new producer epoch
    after every transaction. strict_markers: KIP-1228 (since 4.2): under version 2 a marker must carry a newer epoch
    than the records it ends. commit_interval: how long a transaction stays open for records; Kafka Streams' own is 0.1
    s. transaction_timeout: an open transaction older than this is aborted; the coordinator looks every `timeout_check`
    seconds. isolation: what consumers read, "read_committed" or Kafka's default, "read_uncommitted".
    """
    cluster: Cluster = field(default_factory=lambda: Cluster(partitions=2))
    transaction_version: int = 2
    strict_markers: bool = True
    commit_interval: float = 0.1
    transaction_timeout: float = 60.0
    timeout_check: float = 10.0
    isolation: str = "read_committed"

    def __post_init__(self):
        instance(self, "cluster", Cluster)
        producer = self.cluster.producer
        check(self.cluster, "tiering", self.cluster.tiering is None,
              "None where there are transactions: this model keeps them on local disks")
        check(producer, "acks", producer.acks == "all", "'all' where there are transactions")
        check(producer, "idempotence", producer.idempotent,
              "True or None where there are transactions, with max_in_flight at most 5 and retries above 0")
        check(self, "transaction_version",
              self.transaction_version in VERSIONS and self.transaction_version is not True, "1 or 2")
        check(self, "isolation", self.isolation in ISOLATIONS, " or ".join(map(repr, ISOLATIONS)))
        boolean(self, "strict_markers")
        for name in ("commit_interval", "transaction_timeout", "timeout_check"):
            positive_seconds(self, name)
        check(self, "commit_interval", self.commit_interval < self.transaction_timeout,
              f"shorter than transaction_timeout, which is {self.transaction_timeout:g} seconds, "
              "or every transaction would be aborted")

    @property
    def network(self):
        """The network on which all this runs."""
        return self.cluster.network

    @property
    def request_timeout(self) -> float:
        return self.cluster.producer.request_timeout

    @property
    def delivery_timeout(self) -> float:
        return self.cluster.producer.delivery_timeout

    @property
    def retry_backoff(self) -> float:
        return self.cluster.producer.retry_backoff

    def __str__(self) -> str:
        """Only what differs from the defaults."""
        inside = ", ".join(filter(None, (changes(self), changes(self.cluster), changes(self.cluster.producer))))
        return f"{type(self).__name__}({inside})"


@dataclass(frozen=True)
class Transactions(_Settings):
    """Producers that write to all partitions in transactions, one after another, and consumers that read them.

    producers: "producer-1" and on, each with a transactional id of its own; they share the workload's records evenly.
    abort_every: the application changes its mind about every n-th transaction; 0 is never. replace_at: when a second
    instance with the transactional id of "producer-1" is started ("producer-1b"); None is never.
    """
    producers: int = 1
    abort_every: int = 0
    replace_at: float | None = None

    def __post_init__(self):
        super().__post_init__()
        whole(self, "producers", 1)
        whole(self, "abort_every", 0)
        if self.replace_at is not None:
            seconds(self, "replace_at")

    def build(self, world, workload):
        """The running system in this world (see `system`)."""
        from .system import TransactionsSystem
        return TransactionsSystem(self, world, workload)

    __str__ = _Settings.__str__


@dataclass(frozen=True)
class Pipeline(_Settings):
    """Consume, transform, produce: workers read `orders-…`, work on each record, write one result each into `totals-…`.

    exactly_once: results and offsets are committed in one transaction; False is at least once: results first, offsets
    afterwards. workers: "worker-1" and on, members of one group; a worker takes at most `max_poll_records` records at a
    time. session_timeout: a worker that is silent for so long loses its partitions (a heartbeat every third of it).
    """
    exactly_once: bool = True
    workers: int = 2
    max_poll_records: int = 500
    session_timeout: float = 45.0

    def __post_init__(self):
        super().__post_init__()
        boolean(self, "exactly_once")
        whole(self, "workers", 1)
        whole(self, "max_poll_records", 1)
        positive_seconds(self, "session_timeout")

    def build(self, world, workload):
        """The running system in this world (see `system`)."""
        from .system import PipelineSystem
        return PipelineSystem(self, world, workload)

    __str__ = _Settings.__str__
