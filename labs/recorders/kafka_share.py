"""Members of a share group (KIP-932), every delivery and settlement in a QueueHistory that the queue checks judge.

librdkafka's ShareConsumer is a preview (2.16). Each member is in explicit mode: every record of a poll is settled
before the next poll. Key: the topic. Value: what the record says. A delivery's attempt is Kafka's delivery count. A
record given back at its last attempt (`group.share.delivery.count.limit`, 5) is archived; no client is told, so the
rule is applied.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf

from confluent_kafka import AcknowledgeType, Producer, ShareConsumer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from simulator.evidence.policy import Guarantees
from simulator.evidence.queue_history import REQUEUE, QueueHistory

from .kafka import settings

DELIVERY_LIMIT = 5
ACTIONS = {"ack": AcknowledgeType.ACCEPT, "requeue": AcknowledgeType.RELEASE, "reject": AcknowledgeType.REJECT}


class ShareGroup:
    """A share group on one topic, which it reads from the beginning.

    `decide(value, attempt)` says what to do: "ack", "requeue" (give it back for another delivery), "reject" (never
    again).
    """

    def __init__(self, bootstrap: str, topic: str, name: str = "workers",
                 decide: Callable[[int, int], str] = lambda value, attempt: "ack"):
        self.bootstrap, self.topic, self.name, self.decide = bootstrap, topic, name, decide
        self.history, self.started, self.members = QueueHistory(), time.monotonic(), {}
        _read_from_the_beginning(bootstrap, name)

    @property
    def guarantees(self) -> Guarantees:
        """What a share group promises: every record at least once, in no particular order."""
        return Guarantees(in_order=False, delivery_limit=DELIVERY_LIMIT)

    def clock(self) -> float:
        """Seconds since the group was made."""
        return time.monotonic() - self.started

    def publish(self, count: int) -> None:
        """Puts numbered records into the topic and waits until all are acknowledged."""
        producer = Producer(settings(self.bootstrap, {"acks": "all", "enable_idempotence": True}))
        for value in range(count):
            invoked = self.clock()
            producer.produce(self.topic, str(value).encode(), on_delivery=lambda error, _, value=value, invoked=invoked:
                             self.history.publish("producer", self.topic, value, type="info" if error else "ok",
                                                  time=self.clock(), invoked=invoked))
        producer.flush(120)

    def join(self, *names: str) -> None:
        """Adds members."""
        for name in names:
            self.members[name] = ShareConsumer(settings(self.bootstrap, {
                "group_id": self.name, "share_acknowledgement_mode": "explicit"}))
            self.members[name].subscribe([self.topic])

    def run(self, until: Callable[[], bool], timeout: float = 120.0) -> float:
        """Lets the members poll in turn until a condition holds; seconds that took."""
        began = self.clock()
        while not until():
            if self.clock() - began > timeout:
                raise TimeoutError(f"waited {timeout:g} s for share group {self.name}")
            for name in self.members:
                self._turn(name)
        return self.clock() - began

    def run_for(self, seconds: float) -> None:
        """Lets the members poll in turn for a while."""
        end = self.clock() + seconds
        self.run(lambda: self.clock() > end, timeout=seconds + 120)

    def _turn(self, name: str) -> None:
        """One poll of one member, and what it says about each record."""
        member = self.members[name]
        for message in (message for message in member.poll(0.2) if not message.error()):
            value, attempt = int(message.value()), message.delivery_count()
            self.history.deliver(name, self.topic, value, attempt, inf, time=self.clock())
            decision = self.decide(value, attempt)
            member.acknowledge(message, ACTIONS[decision])
            settle = {"ack": self.history.ack, "requeue": self.history.nack, "reject": self.history.reject}[decision]
            settle(name, self.topic, value, time=self.clock())
            if decision == "requeue" and attempt >= DELIVERY_LIMIT:
                self.history.deadletter(self.topic, value, time=self.clock())
        member.commit_sync(60.0)

    def settled(self) -> int:
        """Records that are done with: accepted, rejected or archived."""
        rows = self.history.settlements.rows
        return len({int(row["value"]) for row in rows if row["action"] != REQUEUE})

    def deliveries(self) -> dict[int, int]:
        """How often each record was delivered."""
        rows = self.history.deliveries.rows
        return {value: int((rows["value"] == value).sum()) for value in sorted(set(rows["value"].tolist()))}

    def close(self) -> None:
        """The members leave; if every record is done with by then, nothing is left in the queue."""
        self.history.drained = self.settled() == len(self.history.publishes)
        for member in self.members.values():
            member.close()
        self.members = {}

    def __enter__(self) -> ShareGroup:
        return self

    def __exit__(self, *exception) -> None:
        self.close()


def _read_from_the_beginning(bootstrap: str, group: str) -> None:
    """A share group starts at the end of the log unless its own setting says otherwise."""
    entry = ConfigEntry("share.auto.offset.reset", "earliest", incremental_operation=AlterConfigOpType.SET)
    admin = AdminClient(settings(bootstrap, {}))
    resource = ConfigResource(ResourceType.GROUP, group, incremental_configs=[entry])
    for done in admin.incremental_alter_configs([resource]).values():
        done.result(120)
