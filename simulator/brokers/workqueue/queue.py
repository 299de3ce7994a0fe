"""The broker: one queue, its messages and its consumers."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from math import inf
from typing import TYPE_CHECKING

from ...evidence.queue_history import ACK, ACTIONS, QUEUE
from ...kernel.disk import Disk
from ..connections import SIGN_OF_LIFE, End, Server

if TYPE_CHECKING:
    from .clients import Worker
    from .system import QueueSystem

DEADLETTER = ACTIONS.index("deadletter")


class Message:
    """A message in the queue: its `number` is its place in it, `deliveries` how often it was handed out."""

    __slots__ = ("value", "number", "written", "deliveries", "event")

    def __init__(self, value: int, number: int, written: float):
        self.value, self.number, self.written, self.deliveries = value, number, written, 0
        self.event = -1  # what put it where it is


class Channel:
    """The queue's view of a worker: the messages it holds, by number, and how many it may hold."""

    def __init__(self, end: End, worker: Worker, prefetch: int):
        self.end, self.worker, self.process, self.prefetch = end, worker, worker.process, prefetch or inf
        self.unacked: dict[int, Message] = {}

    @property
    def hungry(self) -> bool:
        """Whether it may have another message."""
        return len(self.unacked) < self.prefetch


class Queue(Server):
    """The broker. `stored` is on its disk and outlives the process; the rest does not."""

    def __init__(self, system: QueueSystem):
        config = system.config
        super().__init__(system.world, "queue-1", "queue", config.zones[0], config.heartbeat, config.heartbeat / 2)
        self.system, self.config, self.kinds = system, config, system.kinds
        self.disk = Disk(self.node, config.disk)
        self.node.on_start, self.node.on_crash = self._recover, self._crashed
        self.stored: dict[int, Message] = {}  # every message that is neither done nor a dead letter, by number
        self.arrived = 0
        self._forget()

    def _forget(self) -> None:
        self.ready: list[tuple[int, Message]] = []   # a heap, oldest message first, also if it came back
        self.channels: dict[End, Channel] = {}
        self.waiting: deque[Channel] = deque()       # the hungry ones, in turn
        self.unflushed: list[tuple[Message, End, int]] = []
        self.flushing = False

    @property
    def empty(self) -> bool:
        """Whether no message is waiting, at work or about to be flushed."""
        return not (self.stored or self.unflushed or self.flushing)

    # Publishing

    def on_publish(self, publisher: End, value: int, event: int) -> None:
        """A message arrives; it enters the queue once it is as safe as this type of queue makes it."""
        message = Message(value, self.arrived, self.world.now)
        self.arrived += 1
        if self.config.queue_type == "classic":
            self._enqueue(message, publisher, event)
            self._dispatch()
        else:
            self.unflushed.append((message, publisher, event))
            self._flush()

    def _flush(self) -> None:
        """One fsync for all messages that arrived during the one before."""
        if self.unflushed and not self.flushing:
            self.flushing = True
            batch, self.unflushed = self.unflushed, []
            self.node.after(self.disk.fsync(), self._flushed, batch)

    def _flushed(self, batch: list[tuple[Message, End, int]]) -> None:
        self.flushing = False
        flushed = self._note("flushed", batch[0][2], count=len(batch))
        for message, publisher, _ in batch:
            self._enqueue(message, publisher, flushed)
        self._dispatch()
        self._flush()

    def _enqueue(self, message: Message, publisher: End, cause: int) -> None:
        self.stored[message.number] = message
        heappush(self.ready, (message.number, message))
        message.event = self._note("enqueue", cause, message)
        self.system.count()
        if self.config.confirms:
            publisher.send(self.kinds["published"], self.system.publisher.on_confirm, message.value, SIGN_OF_LIFE,
                           message.event, self.system.key, -1, 1, -1, message.value)

    # Delivering

    def on_consume(self, end: End, worker: Worker, event: int) -> None:
        """A worker wants deliveries."""
        channel = self.channels[end] = Channel(end, worker, self.config.prefetch)
        self.waiting.append(channel)
        self._dispatch()

    def _dispatch(self) -> None:
        """Hands out the oldest messages, one to each hungry consumer in turn."""
        while self.ready and self.waiting:
            channel = self.waiting.popleft()
            _, message = heappop(self.ready)
            message.deliveries += 1
            channel.unacked[message.number] = message
            delivery = (message, message.deliveries, self.system.history.op())
            channel.end.send(self.kinds["delivered"], channel.worker.on_delivered, delivery, self.system.size,
                             message.event, self.system.key, -1, 1, message.deliveries, message.value)
            if channel.hungry:
                self.waiting.append(channel)

    def on_ack(self, end: End, message: Message, event: int) -> None:
        """A message is done, and its worker may have another one."""
        channel = self.channels[end]
        if not channel.hungry:
            self.waiting.append(channel)
        del channel.unacked[message.number], self.stored[message.number]
        self.system.settled(message, channel.process, ACK, self._note("settled", event, message))
        self._dispatch()

    # Taking back

    def closed(self, end: End, cause: int) -> None:
        """What a consumer had not acknowledged goes back to where it was."""
        channel = self.channels.pop(end, None)
        if channel is not None:
            self.waiting = deque(other for other in self.waiting if other is not channel)
            event = self._note("requeue", cause, peer=end.peer.code, count=len(channel.unacked))
            self.system.let_go(channel)
            for message in channel.unacked.values():
                self._put_back(message, event)
            self._dispatch()

    def _put_back(self, message: Message, event: int) -> None:
        """A message is ready again, unless it has come back too often."""
        message.event = event
        if message.deliveries > self.config.limit:
            del self.stored[message.number]
            self.system.settled(message, self.system.history.processes.code(QUEUE), DEADLETTER,
                                self._note("dead_letter", event, message, count=message.deliveries))
        else:
            heappush(self.ready, (message.number, message))

    # Crash and recovery

    def _crashed(self, power_lost: bool) -> None:
        """The process is gone, and with it what was not on disk."""
        for channel in self.channels.values():
            self.system.let_go(channel)
        self.forget()
        self._forget()
        if not self.config.persistent:
            self._lose(-inf, "they were not persistent")
        elif power_lost and self.config.queue_type == "classic":
            self._lose(self.disk.written_before(self.world.now), "they were not flushed")

    def _lose(self, since: float, why: str) -> None:
        """Messages written later than `since` are gone."""
        lost = [message for message in self.stored.values() if message.written > since]
        for message in lost:
            del self.stored[message.number]
        if lost:
            self._note("lost", self.node.fault, count=len(lost), text=why)
            self.system.count()

    def _recover(self) -> None:
        """What the disk has kept is ready again, oldest first."""
        event = self._note("recovered", self.node.fault, count=len(self.stored))
        for message in list(self.stored.values()):
            self._put_back(message, event)

    def _note(self, kind: str, cause: int, message: Message | None = None, peer: int = -1, count: int = 1,
              text: str = "") -> int:
        return self.world.trace.add(self.world.now, self.kinds[kind], self.node.code, peer, self.system.key, cause,
                                    -1, count, -1, message.value if message else -1, text)
