"""Fire and forget: every subscriber that is connected gets every message, once or not at all.

One server and one subject, after NATS 2.14 core (docs.nats.io: core NATS, slow consumers; nats-server,
server/const.go).

Modelled: interest, so that a message without a subscriber goes nowhere and a subscriber that comes late gets nothing
of what was; a copy for each subscriber; nothing stored, nothing acknowledged, nothing sent twice; slow consumers, cut
off when more than `max_pending` bytes wait for them or when they have not read for `write_deadline`; reconnecting,
with a buffer in the publisher for the time in between; pings.

Simplified: a subscriber reads from its socket as fast as it works, without a buffer in the client library, and the
sockets hold nothing themselves: what it has not read counts as pending in the server. How much that is, the server
knows at once.

Left out: wildcards, queue groups, request and reply, clusters, JetStream; the CPU time of the server.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..evidence.history import FAIL, INFO, OK
from ..evidence.policy import Guarantees
from ..evidence.queue_history import ACK, QueueHistory
from ..kernel.network import NetworkProfile
from .connections import SIGN_OF_LIFE, Client, End, Server
from .publisher import Publisher
from .settings import changes, check, instance, positive_seconds, whole, zone_names

if TYPE_CHECKING:
    from ..kernel.world import World
    from ..workload import Workload

MEBIBYTE = 1024 * 1024
MAX_PAYLOAD = MEBIBYTE
PROTOCOL = 40        # bytes of a PUB or MSG line
SUBJECT = "orders"

SENTENCES = {
    "publish": ("send", "{node} publishes message {value} to {peer}"),
    "subscribe": ("send", "{node} tells {peer} that it wants messages"),
    "delivered": ("send", "{node} hands message {value} to {peer}"),
    "deliver": ("local", "{node} reads message {value}"),
    "no_interest": ("local", "{node} drops message {value}: nobody has subscribed"),
    "slow_consumer": ("state", "{node} cuts {peer} off, {count} messages behind: {note}"),
    "unsent": ("state", "{node} cannot keep message {value} until it is connected again: its buffer is full"),
}


@dataclass(frozen=True)
class PubSub:
    """One NATS server with one subject, its publisher and its subscribers.

    max_pending: bytes that may wait for a subscriber before it is cut off.
    write_deadline: seconds it may go without reading what waits.
    ping_interval, ping_max: a connection is given up when more than `ping_max` pings in a row were not answered.
    reconnect_wait: seconds until a client tries again. reconnect_buffer: bytes that a publisher keeps until then. (Both
    are those of the Go client.)
    """
    max_pending: int = 64 * MEBIBYTE
    write_deadline: float = 10.0
    ping_interval: float = 120.0
    ping_max: int = 2
    reconnect_wait: float = 2.0
    reconnect_buffer: int = 8 * MEBIBYTE
    zones: tuple[str, ...] = ("a",)
    network: NetworkProfile = field(default_factory=NetworkProfile)

    def __post_init__(self):
        whole(self, "max_pending", 1)
        whole(self, "ping_max", 0)
        whole(self, "reconnect_buffer", 0)
        for name in ("write_deadline", "ping_interval", "reconnect_wait"):
            positive_seconds(self, name)
        zone_names(self, "zones")
        instance(self, "network", NetworkProfile)

    def build(self, world: World, workload: Workload) -> PubSubSystem:
        """The running system in this world."""
        allowed = f"at most {MAX_PAYLOAD}, the server's max_payload"
        check(workload, "record_bytes", workload.record_bytes <= MAX_PAYLOAD, allowed)
        return PubSubSystem(self, world, workload)

    def __str__(self) -> str:
        """Only what differs from the defaults."""
        return f"PubSub({changes(self)})"


class Subscription:
    """What the server knows of a subscriber: when each message was sent that it has not read."""

    def __init__(self, end: End, subscriber: Subscriber):
        self.end, self.subscriber = end, subscriber
        self.unread: deque[float] = deque()


class PubSubServer(Server):
    """The server: who is interested, and what they have not read. It stores nothing."""

    def __init__(self, system: PubSubSystem):
        config = system.config
        keepalive = config.ping_interval * (config.ping_max + 1)
        super().__init__(system.world, "server-1", "broker", config.zones[0], keepalive, config.ping_interval)
        self.system, self.config, self.kinds = system, config, system.kinds
        self.subscriptions: dict[End, Subscription] = {}
        self.node.on_crash = self._crashed

    def on_subscribe(self, end: End, subscriber: Subscriber, event: int) -> None:
        """From now on, this subscriber gets every message."""
        subscriber.subscription = self.subscriptions[end] = Subscription(end, subscriber)

    def on_publish(self, publisher: End, value: int, event: int) -> None:
        """A copy for each subscriber that is connected and can follow; nothing remains."""
        if not self.subscriptions:
            self.system.note(self.node, "no_interest", event, value)
        for subscription in list(self.subscriptions.values()):
            why = self._too_slow(subscription)
            if why:
                self._cut_off(subscription, why)
            else:
                self._pass_on(subscription, value, event)

    def _pass_on(self, subscription: Subscription, value: int, event: int) -> None:
        subscription.unread.append(self.world.now)
        subscription.end.send(self.kinds["delivered"], subscription.subscriber.on_message, value, self.system.size,
                              event, self.system.key, -1, 1, -1, value)

    def _too_slow(self, subscription: Subscription) -> str:
        unread = subscription.unread
        if (len(unread) + 1) * self.system.size > self.config.max_pending:
            return "more than max_pending wait for it"
        if unread and self.world.now - unread[0] > self.config.write_deadline:
            return "it has not read for longer than write_deadline"
        return ""

    def _cut_off(self, subscription: Subscription, why: str) -> None:
        self.world.meters.counts["slow consumers"] += 1
        behind, peer = len(subscription.unread), subscription.end.peer.code
        self.close(subscription.end, self.system.note(self.node, "slow_consumer", -1, -1, peer, behind, why))

    def closed(self, end: End, cause: int) -> None:
        """Who is not connected has no interest, and what was waiting for it is gone."""
        self.subscriptions.pop(end, None)

    def _crashed(self, power_lost: bool) -> None:
        self.forget()
        self.subscriptions = {}


class PubSubPublisher(Publisher):
    """Sends and forgets; without a connection it keeps what its buffer can hold."""

    def __init__(self, system: PubSubSystem, times: np.ndarray):
        config = system.config
        super().__init__(system.world, config.zones[0], system.server, config.reconnect_wait, times, system.history)
        self.system, self.room = system, config.reconnect_buffer // system.size

    def send(self, op: int, value: int) -> None:
        """A message leaves, and nobody will ever say whether it arrived."""
        system = self.system
        event = self.end.send(system.kinds["publish"], system.server.on_publish, value, system.size,
                              -1, system.key, -1, 1, -1, value)
        system.published(op, value, INFO, "", event)

    def keep(self, op: int, value: int) -> None:
        """A message waits for a connection, if the buffer has room."""
        if len(self.kept) < self.room:
            super().keep(op, value)
        else:
            self.system.published(op, value, FAIL, "buffer full", self.system.note(self.node, "unsent", -1, value))

    def crashed(self) -> None:
        """What was kept is gone with the process."""
        for op, value in self.kept:
            self.system.published(op, value, FAIL, "never sent")
        self.kept.clear()


class Subscriber(Client):
    """Reads one message after another, each when it has done its work on the one before."""

    def __init__(self, system: PubSubSystem, number: int):
        config = system.config
        zone = config.zones[(number - 1) % len(config.zones)]
        super().__init__(system.world, f"subscriber-{number}", "subscriber", zone, system.server, config.reconnect_wait)
        self.system = system
        self.process = system.history.processes.code(self.node.name)
        self.copies = system.history.keys.code(self.node.name)
        self._work = system.world.sampler(f"work/subscriber-{number}", system.workload.work)
        self.subscription: Subscription | None = None
        self.socket: deque[tuple[int, int]] = deque()  # (message, event), arrived and not read
        self.busy = False

    def connected(self, event: int) -> None:
        """Subscribes, as client libraries do again after each reconnect."""
        self.end.send(self.system.kinds["subscribe"], self.system.server.on_subscribe, self, SIGN_OF_LIFE, event)

    def on_message(self, end: End, value: int, event: int) -> None:
        """A message arrives; it is read when those before it are done."""
        self.socket.append((value, event))
        if not self.busy:
            self._read()

    def _read(self) -> None:
        self.busy = bool(self.socket)
        if self.socket:
            value, event = self.socket.popleft()
            self.subscription.unread.popleft()
            self.system.delivered(self, value, self.system.note(self.node, "deliver", event, value))
            self.node.after(self._work(), self._read)

    def disconnected(self) -> None:
        """What was not read is gone with the connection; work in hand goes on."""
        self.socket.clear()

    def crashed(self) -> None:
        """What was not read is gone, and so is the work in hand."""
        self.socket.clear()
        self.busy = False


class PubSubSystem:
    """Server, publisher and subscribers of one run. In its history, every subscriber has a queue of its own."""

    def __init__(self, config: PubSub, world: World, workload: Workload):
        self.config, self.world, self.workload = config, world, workload
        self.kinds = {name: world.trace.kind(name, *how) for name, how in SENTENCES.items()}
        self.history, self.key = QueueHistory(), world.trace.keys.code(SUBJECT)
        self.size = workload.record_bytes + PROTOCOL
        self.server = PubSubServer(self)
        times = workload.arrival_times(world.stream("workload/arrivals"))
        self.publisher = PubSubPublisher(self, times)
        self.subscribers = [Subscriber(self, number + 1) for number in range(workload.consumers)]
        self.history.created = {subscriber.copies: times for subscriber in self.subscribers}
        for client in (self.publisher, *self.subscribers):
            client.connect()

    @property
    def guarantees(self) -> Guarantees:
        """At most once: in order, never twice, and nobody promises that it arrives."""
        return Guarantees(durable=False)

    def note(self, node, kind: str, cause: int, value: int, peer: int = -1, count: int = 1, text: str = "") -> int:
        """Writes what happened at a node into the trace."""
        return self.world.trace.add(self.world.now, self.kinds[kind], node.code, peer, self.key, cause,
                                    -1, count, -1, value, text)

    def published(self, op: int, value: int, type: int, error: str, event: int = -1) -> None:
        """A message was handed to the network, or not: a copy for each subscriber."""
        now, error, process = self.world.now, self.history.errors.code(error), self.publisher.process
        for subscriber in self.subscribers:
            self.history.published(op, process, subscriber.copies, value, -1, type, error, now, now, event)

    def delivered(self, subscriber: Subscriber, value: int, event: int) -> None:
        """A subscriber has read a message, and with that it is settled."""
        history, now = self.history, self.world.now
        history.delivered(history.op(), subscriber.process, subscriber.copies, value, 1, now, now, event)
        history.settled(history.op(), subscriber.process, subscriber.copies, value, ACK, OK, now, event)

    def quiet(self) -> bool:
        """Whether every message was published, and what arrived was read."""
        unread = any(subscription.unread for subscription in self.server.subscriptions.values())
        return self.publisher.done and not unread and not any(subscriber.busy for subscriber in self.subscribers)

    def finish(self) -> None:
        """Closes the books; after this, what has not arrived never will."""
        self.publisher.crashed()
        self.history.drained = self.quiet()
