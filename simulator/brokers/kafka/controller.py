"""The controller that every cluster starts with: one node that never fails.

It hears heartbeats, fences brokers and elects leaders. It is what a control plane looks like from a broker on a good
day. `control` has the real ones, which fail over: the KRaft quorum, and the ZooKeeper era. The rules by which all of
them decide are in `decisions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .decisions import Decisions
from .messages import REQUEST_OVERHEAD, PartitionState

if TYPE_CHECKING:
    from .broker import Broker
    from .cluster import KafkaSystem
    from .partition import Leadership


@dataclass
class Registration:
    """What the controller knows of one broker's present life."""
    incarnation: int
    heard: float
    fenced: bool = True


class Controller(Decisions):
    """The active controller on a node of its own."""

    def __init__(self, system: KafkaSystem, states: list[PartitionState]):
        super().__init__(system, system.world.node("controller", "controller", system.config.zones[0]))
        self.partitions = {state.key: state for state in states}
        self.brokers: dict[int, Registration] = {}

    @property
    def silence(self) -> float:
        """How long a broker may say nothing, in seconds."""
        return self.config.broker_session_timeout

    def begin(self) -> None:
        """All brokers are in, and know everything."""
        for broker in self.system.brokers:
            self.brokers[broker.index] = Registration(0, 0.0, fenced=False)
            self.node.after(self.config.broker_session_timeout, self._check_session, broker.index, 0)
            broker.start()
        for broker in self.system.brokers:
            broker.on_metadata((broker.node.incarnation, list(self.partitions.values())), -1)

    # What brokers say, on their side

    def send_heartbeat(self, broker: Broker) -> None:
        """A broker says that it is alive, or registers; a leader learns who else is in (at once, without a message)."""
        broker.readmit(self.brokers)
        kind = self.kinds.heartbeat if broker.registered else self.kinds.register
        broker.link(self.node).send(kind, self.on_heartbeat,
                                    (broker.index, broker.node.incarnation, broker.clean_shutdown), REQUEST_OVERHEAD,
                                    broker.node.fault)

    def send_alter_partition(self, leadership: Leadership, isr: tuple[int, ...]) -> int:
        """A leader asks for another in-sync set; the event of the question."""
        broker, state = leadership.broker, leadership.state
        return broker.link(self.node).send(self.kinds.alter_partition, self.on_alter_partition,
                                           (broker.index, state, isr), REQUEST_OVERHEAD, leadership.last_append,
                                           state.key, epoch=state.leader_epoch)

    # Brokers come and go

    def on_heartbeat(self, message: tuple[int, int, bool], event: int) -> None:
        """A heartbeat or a registration; a new life is refused until the session of the last one has ended."""
        index, incarnation, clean = message
        now, known = self.world.now, self.brokers.get(index)
        if known is None or known.fenced and known.incarnation != incarnation:
            self.brokers[index] = Registration(incarnation, now)
            self._admit(index, clean, event)
            self.node.after(self.config.broker_session_timeout, self._check_session, index, incarnation)
        elif known.incarnation == incarnation:
            known.heard = now
            if known.fenced:
                self._admit(index, True, event)
                self.node.after(self.config.broker_session_timeout, self._check_session, index, incarnation)

    def _check_session(self, index: int, incarnation: int) -> None:
        known = self.brokers[index]
        if known.incarnation != incarnation or known.fenced:
            return
        due = known.heard + self.config.broker_session_timeout
        if due > self.world.now + 1e-9:
            self.node.after(due - self.world.now, self._check_session, index, incarnation)
        else:
            self._fence(index)

    def _fence(self, index: int) -> None:
        """Takes a silent broker out of every in-sync set and every leadership."""
        broker = self.system.brokers[index].node
        self.brokers[index].fenced = True
        fenced = self.note(self.kinds.fenced, peer=broker.code, cause=broker.fault, value=round(self.silence))
        self._publish(self.without_broker(index, fenced), fenced)

    def _admit(self, index: int, clean: bool, event: int) -> None:
        """Lets a broker back in and tells it everything."""
        self.brokers[index].fenced = False
        admitted = self.note(self.kinds.unfenced, peer=self.system.brokers[index].node.code, cause=event)
        self._publish(self.with_broker(index, clean, admitted), admitted)
        self._tell(index, list(self.partitions.values()), admitted)

    def on_alter_partition(self, message: tuple[int, PartitionState, tuple[int, ...]], event: int) -> None:
        """A leader asks for another in-sync set; refused if it speaks of an old state or names a fenced broker."""
        index, asked, isr = message
        if self.is_current(index, asked) and all(not self.brokers[b].fenced for b in isr):
            self._publish([self.with_isr(asked.key, isr)], event)
        else:  # the state as it is makes the leader drop its proposal
            state = self.partitions[asked.key]
            self._publish([state._replace(partition_epoch=state.partition_epoch + 1)], event)

    def _publish(self, states: list[PartitionState], cause: int) -> None:
        """Commits new states and tells all brokers that are in."""
        changed = [state for state in states if state != self.partitions[state.key]]
        for state in changed:
            self.partitions[state.key] = state
        if changed:
            for index, registration in self.brokers.items():
                if not registration.fenced:
                    self._tell(index, changed, cause)

    def _tell(self, index: int, states: list[PartitionState], cause: int) -> None:
        broker = self.system.brokers[index]
        self.world.network.link(self.node, broker.node).send(
            self.kinds.metadata, broker.on_metadata, (self.brokers[index].incarnation, states),
            REQUEST_OVERHEAD + 50 * len(states), cause)
