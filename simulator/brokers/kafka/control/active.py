"""The active controller: the leader of the metadata log, once it has applied all that was there before its term.

It decides on what it has appended, committed or not, since nobody else can append in its term; what it decided becomes
true for everybody when it is committed. If it is deposed first, its decisions were never made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..decisions import Decisions
from ..messages import PartitionState
from .metadata import RECORD_BYTES, BrokerFenced, BrokerRegistered, PartitionChanged, describe

if TYPE_CHECKING:
    from ....kernel.raft import Member
    from .quorum import Quorum


class Heartbeat(NamedTuple):
    """A broker says that it is alive, in which life, whether that began cleanly, and how far it has read the log."""
    broker: int
    incarnation: int
    clean: bool
    metadata_offset: int


class AlterPartition(NamedTuple):
    """A leader asks for another in-sync set, naming the life in which each member fetched (KIP-903)."""
    broker: int
    asked: PartitionState
    isr: tuple[int, ...]
    incarnations: tuple[int, ...]
    leadership: object


class ActiveController(Decisions):
    """One controller's term of office."""

    def __init__(self, quorum: Quorum, member: Member, event: int):
        super().__init__(quorum.system, member.node)
        self.quorum, self.member, self.term = quorum, member, member.term
        self.state = quorum.images[member.name].copy()
        self.partitions, self.brokers = self.state.partitions, self.state.brokers
        self.heard: dict[int, float] = {}
        self.note(quorum.own["active"], quorum.group.key, event, self.state.end_offset, epoch=self.term)
        for index, registration in self.brokers.items():
            if not registration.fenced:
                self._begin_session(index)

    @property
    def in_office(self) -> bool:
        """Whether it still leads, as far as it knows: one that is cut off learns late that it does not."""
        return self.member.leads(self.term)

    # Brokers come and go

    def on_heartbeat(self, message: Heartbeat, event: int) -> None:
        """A heartbeat or a registration; that of a new life is refused until the session of the last one has ended."""
        index = message.broker
        known = self.brokers.get(index)
        if known is None or known.fenced and known.incarnation != message.incarnation:
            self._register(message, event)
        elif known.incarnation == message.incarnation:
            self.heard[index] = self.world.now
            if known.fenced and message.metadata_offset > known.broker_epoch:
                self._unfence(index, event)

    def _register(self, message: Heartbeat, event: int) -> None:
        changed = [] if message.clean else self.after_unclean_shutdown(message.broker, event)
        self._decide([BrokerRegistered(message.broker, message.incarnation)], changed, event)

    def _unfence(self, index: int, event: int) -> None:
        """Lets in a broker that has read the log up to its registration; partitions without a leader may get one."""
        unfenced = self.note(self.kinds.unfenced, cause=event, peer=self.system.brokers[index].node.code)
        self.brokers[index] = self.brokers[index]._replace(fenced=False)
        self._begin_session(index)
        self._decide([BrokerFenced(index, False)], self.with_broker(index, True, unfenced), unfenced)

    def _begin_session(self, index: int) -> None:
        self.heard[index] = self.world.now
        broker_epoch = self.brokers[index].broker_epoch
        self.node.after(self.config.broker_session_timeout, self._check_session, index, broker_epoch)

    def _check_session(self, index: int, broker_epoch: int) -> None:
        known = self.brokers[index]
        if not self.in_office or known.broker_epoch != broker_epoch or known.fenced:
            return
        due = self.heard[index] + self.config.broker_session_timeout
        if due > self.world.now + 1e-9:
            self.node.after(due - self.world.now, self._check_session, index, broker_epoch)
        else:
            self._fence(index)

    def _fence(self, index: int) -> None:
        """Takes a silent broker out of every in-sync set and every leadership, in one batch."""
        broker = self.system.brokers[index].node
        silence = round(self.config.broker_session_timeout)
        fenced = self.note(self.kinds.fenced, cause=broker.fault, peer=broker.code, value=silence)
        self.brokers[index] = self.brokers[index]._replace(fenced=True)
        self._decide([BrokerFenced(index, True)], self.without_broker(index, fenced), fenced)

    # Partitions

    def on_alter_partition(self, message: AlterPartition, event: int) -> None:
        """A leader asks for another in-sync set.

        Who speaks of an old state gets no answer and will read of the new one in the log. Who names a broker that may
        not be in sync is told so, and knows then that the change was never made.
        """
        if self.is_current(message.broker, message.asked):
            if all(self._may_be_in_sync(b, life) for b, life in zip(message.isr, message.incarnations)):
                self._decide([], [self.with_isr(message.asked.key, message.isr)], event)
            else:
                self.quorum.refuse(self.node, message, event)

    def _may_be_in_sync(self, index: int, incarnation: int) -> bool:
        known = self.brokers.get(index)
        return known is not None and not known.fenced and known.incarnation == incarnation

    def _decide(self, records: list, states: list[PartitionState], cause: int) -> None:
        """Appends one batch to the metadata log: records about brokers, and the partitions that change."""
        changed = [PartitionChanged(state) for state in states if state != self.partitions[state.key]]
        batch = (*records, *changed)
        if batch:
            told = self.note(self.quorum.own["decided"], self.quorum.group.key, cause, self.state.end_offset,
                             epoch=self.term, text=describe(batch, self._name))
            offset = self.member.propose(batch, size=RECORD_BYTES * len(batch), cause=told)
            self.state.apply(offset, batch)

    def _name(self, index: int) -> str:
        return self.system.brokers[index].node.name
