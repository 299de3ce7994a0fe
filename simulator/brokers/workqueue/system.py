"""Queue, publisher and workers wired together: what `simulate` runs."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from ...evidence.history import OK
from ...evidence.policy import Guarantees
from ...evidence.queue_history import QueueHistory
from .clients import QueuePublisher, Worker
from .queue import Queue

if TYPE_CHECKING:
    from ...kernel.world import World
    from ...workload import Workload
    from .config import WorkQueue
    from .queue import Channel, Message

NAME = "orders"  # of the queue
FRAMES = 100     # bytes of method, header and frames around the content of a message

SENTENCES = {
    "publish": ("send", "{node} publishes message {value} to {peer}"),
    "consume": ("send", "{node} asks {peer} for messages"),
    "published": ("send", "{node} confirms message {value} to {peer}"),
    "delivered": ("send", "{node} hands message {value} to {peer}"),
    "ack": ("send", "{node} tells {peer} that message {value} is done"),
    "enqueue": ("local", "{node} puts message {value} into the queue"),
    "flushed": ("local", "{node} has flushed to disk what arrived ({count})"),
    "acknowledged": ("local", "{node} learns that message {value} is safe"),
    "deliver": ("local", "{node} gets message {value}, delivery number {epoch}"),
    "done": ("local", "{node} has done its work on message {value}"),
    "settled": ("local", "{node} forgets message {value}: it is done"),
    "requeue": ("state", "{node} takes back what {peer} had not acknowledged ({count})"),
    "dead_letter": ("state", "{node} gives up on message {value} after {count} deliveries"),
    "lost": ("state", "{node} has lost messages ({count}): {note}"),
    "recovered": ("state", "{node} finds messages on its disk ({count})"),
}


class QueueSystem:
    """Queue, publisher and workers of one run, and the history they write."""

    def __init__(self, config: WorkQueue, world: World, workload: Workload):
        self.config, self.world, self.workload = config, world, workload
        self.kinds = {name: world.trace.kind(name, *how) for name, how in SENTENCES.items()}
        self.history, self.key = QueueHistory(), world.trace.keys.code(NAME)
        self.history.keys.code(NAME)
        self.size = workload.record_bytes + FRAMES
        times = workload.arrival_times(world.stream("workload/arrivals"))
        self.history.created = {self.key: times}
        self.queue = Queue(self)
        self.publisher = QueuePublisher(self, times)
        self.workers = [Worker(self, number + 1) for number in range(workload.consumers)]
        for client in (self.publisher, *self.workers):
            client.connect()

    @property
    def guarantees(self) -> Guarantees:
        """At least once, in an order that no redelivery survives; over a restart if messages are persistent."""
        limit = None if self.config.limit == inf else self.config.limit + 1
        return Guarantees(durable=self.config.persistent, in_order=False, delivery_limit=limit)

    # What clients saw

    def published(self, op: int, process: int, value: int, type: int, error: str, sent: float, event: int) -> None:
        """A publish has come to its end."""
        error = self.history.errors.code(error)
        self.history.published(op, process, self.key, value, -1, type, error, sent, self.world.now, event)

    def delivered(self, op: int, process: int, message: Message, attempt: int, event: int) -> None:
        """A worker got a message; the operation has its number from the moment at which the queue handed it out."""
        self.history.delivered(op, process, self.key, message.value, attempt, inf, self.world.now, event)

    def settled(self, message: Message, process: int, action: int, event: int) -> None:
        """The queue has parted with a message for good."""
        self.history.settled(self.history.op(), process, self.key, message.value, action, OK, self.world.now, event)
        self.count()

    def let_go(self, channel: Channel) -> None:
        """A consumer has lost its connection, and with it all it held."""
        self.history.disconnect(self.history.processes[channel.process], self.world.now)

    def count(self) -> None:
        """Notes how many messages the queue is responsible for, at work or waiting."""
        self.world.meters.level("messages in the queue", self.world.now, len(self.queue.stored))

    # The end of a run

    def quiet(self) -> bool:
        """Whether everything is settled: all messages published, worked on and acknowledged."""
        nobody_works = not any(worker.busy for worker in self.workers)
        return self.publisher.done and nobody_works and (self.queue.empty or not self.workers)

    def finish(self) -> None:
        """Closes the books; the history is drained if nothing is left in the queue."""
        self.publisher.crashed()
        self.history.drained = self.publisher.done and self.queue.empty
