"""Who uses the queue: a publisher that waits for confirms, and workers that acknowledge what they have done."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ...evidence.history import FAIL, INFO, OK
from ..connections import SIGN_OF_LIFE, Client, End
from ..publisher import Publisher

if TYPE_CHECKING:
    import numpy as np

    from .queue import Message
    from .system import QueueSystem


class QueuePublisher(Publisher):
    """Remembers what it has sent until the queue confirms it."""

    def __init__(self, system: QueueSystem, times: np.ndarray):
        config = system.config
        super().__init__(system.world, config.zones[0], system.queue, config.reconnect, times, system.history)
        self.system, self.kinds = system, system.kinds
        self.in_doubt: dict[int, tuple[int, float, int]] = {}  # message -> (operation, when it was sent, event)

    @property
    def done(self) -> bool:
        """Whether every message was sent and its fate is known."""
        return super().done and not self.in_doubt

    def send(self, op: int, value: int) -> None:
        """A message leaves; without confirms that is all there is to know."""
        system, now = self.system, self.world.now
        event = self.end.send(self.kinds["publish"], system.queue.on_publish, value, system.size,
                              -1, system.key, -1, 1, -1, value)
        if system.config.confirms:
            self.in_doubt[value] = (op, now, event)
        else:
            system.published(op, self.process, value, INFO, "", now, event)

    def on_confirm(self, end: End, value: int, event: int) -> None:
        """The queue has taken responsibility for a message."""
        op, sent, published = self.in_doubt.pop(value)
        self.world.trace.add(self.world.now, self.kinds["acknowledged"], self.node.code, -1, self.system.key, event,
                             -1, 1, -1, value)
        self.system.published(op, self.process, value, OK, "", sent, published)

    def disconnected(self) -> None:
        """Nobody will ever say what became of the messages that were not confirmed."""
        for value, (op, sent, event) in self.in_doubt.items():
            self.system.published(op, self.process, value, INFO, "not confirmed", sent, event)
        self.in_doubt.clear()

    def crashed(self) -> None:
        """What was in doubt stays so; what was kept was never sent."""
        self.disconnected()
        for op, value in self.kept:
            self.system.published(op, self.process, value, FAIL, "never sent", self.world.now, -1)
        self.kept.clear()


class Worker(Client):
    """Works on one message at a time, acknowledges it, and takes the next from what it has prefetched."""

    def __init__(self, system: QueueSystem, number: int):
        config = system.config
        zone = config.zones[(number - 1) % len(config.zones)]
        super().__init__(system.world, f"worker-{number}", "worker", zone, system.queue, config.reconnect)
        self.system, self.kinds = system, system.kinds
        self._work = system.world.sampler(f"work/worker-{number}", system.workload.work)
        self.held: deque[tuple[End, Message, int]] = deque()
        self.busy = False

    def connect(self) -> None:
        """Each life of the process is a process of its own in the history."""
        life = self.node.incarnation
        self.process = self.system.history.processes.code(self.node.name + (f"/{life + 1}" if life else ""))
        super().connect()

    def connected(self, event: int) -> None:
        """Asks for messages."""
        self.end.send(self.kinds["consume"], self.system.queue.on_consume, self, SIGN_OF_LIFE, event)

    def on_delivered(self, end: End, delivery: tuple[Message, int, int], event: int) -> None:
        """A message arrives; it waits until the ones before it are done."""
        message, attempt, op = delivery
        got = self._note("deliver", event, message, attempt)
        self.system.delivered(op, self.process, message, attempt, got)
        self.held.append((end, message, got))
        if not self.busy:
            self._begin()

    def _begin(self) -> None:
        self.busy = bool(self.held)
        if self.held:
            self.node.after(self._work(), self._done, *self.held.popleft())

    def _done(self, end: End, message: Message, event: int) -> None:
        done = self._note("done", event, message)
        if end.open:
            end.send(self.kinds["ack"], self.system.queue.on_ack, message, SIGN_OF_LIFE,
                     done, self.system.key, -1, 1, -1, message.value)
        self._begin()

    def _note(self, kind: str, cause: int, message: Message, attempt: int = -1) -> int:
        return self.world.trace.add(self.world.now, self.kinds[kind], self.node.code, -1, self.system.key, cause,
                                    -1, 1, attempt, message.value)

    def disconnected(self) -> None:
        """The work in hand goes on, though nobody will hear of it; what was prefetched will come again."""
        self.held.clear()

    def crashed(self) -> None:
        """Everything in hand is gone."""
        self.held.clear()
        self.busy = False
