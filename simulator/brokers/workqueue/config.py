"""What can be set, with the defaults of RabbitMQ 4.3 (units: seconds and bytes)."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from ...kernel.disk import DiskProfile
from ...kernel.network import NetworkProfile
from ..settings import boolean, changes, check, instance, positive_seconds, whole, zone_names

DELIVERY_LIMIT = 20  # of quorum queues since RabbitMQ 4.0; classic queues have none


@dataclass(frozen=True)
class WorkQueue:
    """One RabbitMQ node with one queue, its publisher and its workers.

    queue_type: "classic" (RabbitMQ's default) or "quorum" (flushed before it is confirmed, with a delivery limit).
    prefetch: deliveries that a worker may hold unacknowledged; 0 is no limit, which is RabbitMQ's default.
    confirms, persistent: whether the publisher asks for confirms, and whether messages outlive the broker's process
    (delivery mode 2). In AMQP 0-9-1 a client has to ask for both; the course starts from both, as everyone should in
    production.
    delivery_limit: how often a message may come back before it is a dead letter; None is the queue type's own, 20 or
    never.
    heartbeat: seconds of silence after which a connection is given up. reconnect: seconds until a client tries again.
    """
    queue_type: str = "classic"
    prefetch: int = 0
    confirms: bool = True
    persistent: bool = True
    delivery_limit: float | None = None
    heartbeat: float = 60.0
    reconnect: float = 5.0
    zones: tuple[str, ...] = ("a",)
    network: NetworkProfile = field(default_factory=NetworkProfile)
    disk: DiskProfile = field(default_factory=DiskProfile)

    def __post_init__(self):
        quorum = self.queue_type == "quorum"
        check(self, "queue_type", self.queue_type in ("classic", "quorum"), "'classic' or 'quorum'")
        whole(self, "prefetch", 0)
        boolean(self, "confirms")
        boolean(self, "persistent")
        check(self, "persistent", self.persistent or not quorum, "True for a quorum queue, which has no other messages")
        if self.delivery_limit not in (None, inf):
            check(self, "delivery_limit", quorum, "None for a classic queue, which has no delivery limit")
            whole(self, "delivery_limit", 1)
        positive_seconds(self, "heartbeat")
        positive_seconds(self, "reconnect")
        zone_names(self, "zones")
        instance(self, "network", NetworkProfile)
        instance(self, "disk", DiskProfile)

    @property
    def limit(self) -> float:
        """How often a message may come back."""
        if self.delivery_limit is not None:
            return self.delivery_limit
        return DELIVERY_LIMIT if self.queue_type == "quorum" else inf

    def build(self, world, workload):
        """The running system in this world (see `system`)."""
        from .system import QueueSystem
        return QueueSystem(self, world, workload)

    def __str__(self) -> str:
        """Only what differs from the defaults."""
        return f"WorkQueue({changes(self)})"
