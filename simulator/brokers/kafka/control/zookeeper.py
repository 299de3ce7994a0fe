"""The ZooKeeper era: a broker is the controller, and its successor reads everything before it decides anything.

Every broker keeps a session with ZooKeeper and pings it three times in a session timeout. When the controller's session
ends, its ephemeral node `/controller` goes; the brokers that watch it race to create it again. The winner reads the
state of every partition, which takes `load` seconds a partition, and then tells every broker everything (LeaderAndIsr,
UpdateMetadata).

Simplified: the ensemble is one node that never fails, and a write to it takes no time; a session ends on the second,
where ZooKeeper rounds up to its next tick of 2 s; a controller that was replaced unawares does nothing more. Leaders
change their in-sync set through the controller (KIP-497, Kafka 2.7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..controller import Controller, Registration
from ..decisions import Decisions
from ..messages import REQUEST_OVERHEAD, PartitionState
from .config import ZooKeeper

if TYPE_CHECKING:
    from ..broker import Broker
    from ..cluster import KafkaSystem
    from ..partition import Leadership

PINGS = 3      # a session timeout
RETRY = 0.5    # seconds after which an unanswered AlterPartition is sent again

SENTENCES = {
    "vacant": ("send", "{node} tells {peer} that /controller is gone"),
    "create": ("send", "{node} tries to create /controller at {peer}"),
    "created": ("send", "{node} tells {peer} that it has created /controller"),
    "session": ("send", "{node} tells {peer} that a broker's session has begun or ended"),
    "session_ended": ("state", "the session of {peer} has ended: nothing heard for {value} s"),
    "loading": ("state", "{node} is the controller and begins to read the state of every partition"),
    "active": ("state", "{node} is the active controller; it has read everything"),
}


class Session(NamedTuple):
    """What ZooKeeper knows of one broker's life."""
    incarnation: int
    clean: bool
    heard: float


class ZooKeeperControl(Controller):
    """ZooKeeper, its sessions, and the rules of whichever broker is the controller. `node` is that broker's."""

    def __init__(self, system: KafkaSystem, states: list[PartitionState], control: ZooKeeper):
        self.zookeeper = system.world.node("zookeeper", "controller", system.config.zones[0])
        Decisions.__init__(self, system, system.brokers[0].node)
        self.control = control
        self.partitions = {state.key: state for state in states}
        self.brokers: dict[int, Registration] = {}
        self.sessions: dict[int, Session] = {}
        self.pinged: dict[int, tuple[int, float]] = {}   # broker -> the life in which it pinged last, and when
        self.seat = 0        # who has created /controller, -1 if nobody has
        self.ready = True    # whether it has read everything
        self.load = self.world.sampler("zookeeper/load", control.load)
        self.own = {kind: self.world.trace.kind(kind, *told) for kind, told in SENTENCES.items()}

    @property
    def silence(self) -> float:
        """How long a broker may say nothing, in seconds."""
        return self.control.session_timeout

    def begin(self) -> None:
        """All brokers have sessions and know everything; the first is the controller."""
        for broker in self.system.brokers:
            self.sessions[broker.index] = Session(0, True, 0.0)
            self.brokers[broker.index] = Registration(0, 0.0, fenced=False)
            self.zookeeper.after(self.control.session_timeout, self._check, broker.index, 0)
            broker.start()
        for broker in self.system.brokers:
            broker.on_metadata((broker.node.incarnation, list(self.partitions.values())), -1)

    # What brokers say

    def send_heartbeat(self, broker: Broker) -> None:
        """A broker pings ZooKeeper, or opens a session and registers."""
        now, life = self.world.now, broker.node.incarnation
        pinged_in, at = self.pinged.get(broker.index, (-1, 0.0))
        if broker.registered and pinged_in == life and now < at + self.control.session_timeout / PINGS - 1e-9:
            return
        self.pinged[broker.index] = life, now
        kind = self.kinds.heartbeat if broker.registered else self.kinds.register
        session = Session(life, broker.clean_shutdown, now)
        message = broker.index, session
        broker.link(self.zookeeper).send(kind, self._on_ping, message, REQUEST_OVERHEAD, broker.node.fault)

    def send_alter_partition(self, leadership: Leadership, isr: tuple[int, ...]) -> int:
        """A leader asks the controller for another in-sync set, and again until it hears what became of it."""
        leadership.broker.node.after(RETRY, self._ask_again, leadership, isr)
        return super().send_alter_partition(leadership, isr)

    def _ask_again(self, leadership: Leadership, isr: tuple[int, ...]) -> None:
        if leadership.broker.leading.get(leadership.key) is leadership and leadership.proposed is isr:
            leadership.broker.alter_partition(leadership, isr)

    # ZooKeeper: sessions, and one ephemeral node that matters

    def _on_ping(self, message: tuple[int, Session], event: int) -> None:
        """A ping, or a new session; the first of a new life must wait until the session of the last one has ended."""
        index, session = message
        known = self.sessions.get(index)
        if known is not None and known.incarnation != session.incarnation:
            return
        self.sessions[index] = session._replace(heard=self.world.now)
        if known is None:
            self.zookeeper.after(self.control.session_timeout, self._check, index, session.incarnation)
            self._notify(event)
            if self.seat < 0:
                self._watch_fires(index, event)

    def _check(self, index: int, incarnation: int) -> None:
        session = self.sessions.get(index)
        if session is None or session.incarnation != incarnation:
            return
        due = session.heard + self.control.session_timeout
        if due > self.world.now + 1e-9:
            self.zookeeper.after(due - self.world.now, self._check, index, incarnation)
        else:
            self._end_session(index)

    def _end_session(self, index: int) -> None:
        node = self.system.brokers[index].node
        del self.sessions[index]
        ended = self.world.trace.add(self.world.now, self.own["session_ended"], self.zookeeper.code, node.code,
                                     cause=node.fault, value=round(self.silence))
        if index != self.seat:
            self._notify(ended)
            return
        self.seat, self.ready = -1, False
        for other in self.sessions:
            self._watch_fires(other, ended)

    def _watch_fires(self, index: int, cause: int) -> None:
        self._from_zookeeper(index, "vacant", self._on_vacancy, index, cause)

    def _on_vacancy(self, index: int, event: int) -> None:
        """A broker learns that there is no controller, and tries to be the next."""
        broker = self.system.brokers[index]
        message = index, broker.node.incarnation
        broker.link(self.zookeeper).send(self.own["create"], self._on_create, message, REQUEST_OVERHEAD, event)

    def _on_create(self, message: tuple[int, int], event: int) -> None:
        """The first who asks gets it, if its session stands."""
        index, incarnation = message
        session = self.sessions.get(index)
        if self.seat < 0 and session is not None and session.incarnation == incarnation:
            self.seat = index
            self._from_zookeeper(index, "created", self._on_won, index, event)

    def _notify(self, cause: int) -> None:
        """Tells the controller that the set of live brokers is another."""
        if self.seat >= 0:
            self._from_zookeeper(self.seat, "session", self._on_sessions, self.seat, cause)

    def _from_zookeeper(self, index: int, kind: str, handler, message, cause: int) -> None:
        link = self.world.network.link(self.zookeeper, self.system.brokers[index].node)
        link.send(self.own[kind], handler, message, REQUEST_OVERHEAD, cause)

    # The controller

    def _on_won(self, index: int, event: int) -> None:
        """The new controller reads everything before it decides anything."""
        if index == self.seat:
            self.node = self.system.brokers[index].node
            loading = self.note(self.own["loading"], cause=event)
            self.node.after(self.load() * len(self.partitions), self._loaded, index, loading)

    def _loaded(self, index: int, event: int) -> None:
        if index == self.seat:
            self.ready = True
            active = self.note(self.own["active"], cause=event)
            self._on_sessions(index, active)
            for other, registration in self.brokers.items():
                if not registration.fenced:
                    self._tell(other, list(self.partitions.values()), active)

    def _on_sessions(self, index: int, event: int) -> None:
        """The controller compares who has a session with whom it takes for alive."""
        if not self.ready or index != self.seat:
            return
        for broker in self.system.brokers:
            session, known = self.sessions.get(broker.index), self.brokers.get(broker.index)
            alive = known is not None and not known.fenced
            if alive and (session is None or session.incarnation != known.incarnation):
                self._fence(broker.index)
                alive = False
            if session is not None and not alive:
                self.brokers[broker.index] = Registration(session.incarnation, session.heard)
                self._admit(broker.index, session.clean, event)

    def on_alter_partition(self, message, event: int) -> None:
        """As ever, unless the controller is still reading: then the leader asks again."""
        if self.ready:
            super().on_alter_partition(message, event)
