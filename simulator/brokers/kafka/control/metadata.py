"""The records of the metadata log, and the image of the cluster that one has who applied them in order.

Kafka's names: RegisterBrokerRecord, BrokerRegistrationChangeRecord (fencing), PartitionChangeRecord.
"""

from __future__ import annotations

from collections.abc import Callable
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
    """What the log says of a broker: its life, the offset of its registration, and whether it is fenced."""
    incarnation: int
    broker_epoch: int
    fenced: bool


def describe(batch: tuple, name: Callable[[int], str], most: int = 3) -> str:
    """A batch of records in words; `name` gives the name of a broker."""
    told = [_describe(record, name) for record in batch[:most]]
    return "; ".join(told + [f"and {len(batch) - most} records more"] * (len(batch) > most))


def _describe(record: NamedTuple, name: Callable[[int], str]) -> str:
    if isinstance(record, BrokerRegistered):
        return f"{name(record.broker)} is registered"
    if isinstance(record, BrokerFenced):
        return f"{name(record.broker)} is {'fenced' if record.fenced else 'unfenced'}"
    state = record.state
    leader = f"led by {name(state.leader)}" if state.leader >= 0 else "without a leader"
    eligible = f", eligible {_short(state.elr, name)}" if state.elr else ""
    return f"partition {state.key} {leader} in epoch {state.leader_epoch}, in sync {_short(state.isr, name)}{eligible}"


def _short(brokers: tuple[int, ...], name: Callable[[int], str]) -> str:
    return "+".join(name(index).removeprefix("broker-") for index in brokers) or "nobody"


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
