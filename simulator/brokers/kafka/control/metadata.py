"""The records of the metadata log, and the image of the cluster that one has who applied them in order.

Kafka's names: RegisterBrokerRecord, BrokerRegistrationChangeRecord (fencing), PartitionChangeRecord.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ..messages import PartitionState

RECORD_BYTES = 60  # of a record in the log


class BrokerRegistered(NamedTuple):
    """A broker's new life; it begins fenced."""
    broker: int
    incarnation: int


class BrokerFenced(NamedTuple):
    """A broker is shut out of leading and of being in sync, or let in again."""
    broker: int
    fenced: bool


class PartitionChanged(NamedTuple):
    """Leader, leader epoch, in-sync and eligible replicas of a partition."""
    state: PartitionState


class Registration(NamedTuple):
    """What the log says of a broker: its life, the offset at which that was registered (its broker epoch), and whether it is fenced."""
    incarnation: int
    broker_epoch: int
    fenced: bool


@dataclass
class Metadata:
    """The cluster as the log has it up to an offset; `changed` collects partitions for whoever looks."""
    end_offset: int = 0
    brokers: dict[int, Registration] = field(default_factory=dict)
    partitions: dict[int, PartitionState] = field(default_factory=dict)
    changed: dict[int, PartitionState] = field(default_factory=dict)

    def apply(self, offset: int, batch: tuple) -> None:
        """Takes in one batch of records, whole."""
        for record in batch:
            if isinstance(record, PartitionChanged):
                self.partitions[record.state.key] = self.changed[record.state.key] = record.state
            elif isinstance(record, BrokerRegistered):
                self.brokers[record.broker] = Registration(record.incarnation, offset, True)
            else:
                self.brokers[record.broker] = self.brokers[record.broker]._replace(fenced=record.fenced)
        self.end_offset = offset + 1

    def copy(self) -> Metadata:
        """The same image, to be changed by itself."""
        return Metadata(self.end_offset, dict(self.brokers), dict(self.partitions))
