"""Who writes the records: a producer that sends full batches, again and again until the leader has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....evidence.history import FAIL, INFO, OK

if TYPE_CHECKING:
    from .system import ShareSystem

OVERHEAD = 100         # bytes of a request or an answer
RETRY_BACKOFF = 0.1    # retry.backoff.ms
REQUEST_TIMEOUT = 2.0  # seconds; request.timeout.ms is 30 s, but how producers wait is not the matter here


class Producer:
    """One process; it outlives nothing, and is not meant to be hit by a fault."""

    def __init__(self, system: ShareSystem):
        self.system, self.world, self.kinds = system, system.world, system.kinds
        self.node = system.world.node("producer-1", "producer", system.config.zones[0])
        self.node.on_disconnect = self._disconnected
        self.process = system.history.processes.code("producer-1")
        self.open: dict[int, list[tuple[int, int]]] = {}           # partition -> its batch so far: (operation, offset)
        self.unanswered: dict[tuple[int, int], list[tuple[int, int]]] = {}  # (partition, first offset) -> its batch
        self.made, self.backing_off = 0, False
        self._plan()

    @property
    def done(self) -> bool:
        """Whether every record is made, sent and known to be safe."""
        return self.made == len(self.system.records.times) and not self.unanswered

    def _plan(self) -> None:
        times = self.system.records.times
        if self.made < len(times):
            self.world.after(float(times[self.made]) - self.world.now, self._make)
        else:
            for key in list(self.open):
                self._send(key)

    def _make(self) -> None:
        records = self.system.records
        key, offset = int(records.partition[self.made]), int(records.offset[self.made])
        batch = self.open.setdefault(key, [])
        batch.append((self.system.history.op(), offset))
        if len(batch) == self.system.config.batch_records:
            self._send(key)
        self.made += 1
        self._plan()

    def _send(self, key: int) -> None:
        batch = self.open.pop(key)
        self.unanswered[key, batch[0][1]] = batch
        self._produce(key, batch)

    def _produce(self, key: int, batch: list[tuple[int, int]]) -> None:
        first, count = batch[0][1], len(batch)
        size = OVERHEAD + count * self.system.workload.record_bytes
        leader = self.system.leader
        link = self.world.network.link(self.node, leader.node)
        link.send(self.kinds["produce"], leader.on_produce, (self, key, first, count), size, -1, key, first, count, -1,
                  first)
        self.node.after(REQUEST_TIMEOUT, self._timed_out, key, first)

    def _timed_out(self, key: int, first: int) -> None:
        if (key, first) in self.unanswered and not self.backing_off:
            self._again()

    def _disconnected(self, peer) -> None:
        if not self.backing_off:
            self.backing_off = True
            self.node.after(RETRY_BACKOFF, self._again)

    def _again(self) -> None:
        """Sends all that is unanswered once more, in order."""
        self.backing_off = False
        for (key, _), batch in self.unanswered.items():
            self._produce(key, batch)

    def on_produced(self, message: tuple[int, int], event: int) -> None:
        """The leader has the batch."""
        batch = self.unanswered.pop(message, None)
        if batch is not None:
            self._publish(message[0], batch, OK, event)

    def _publish(self, key: int, batch: list[tuple[int, int]], type: int, event: int = -1) -> None:
        history, now = self.system.history, self.world.now
        times, none = history.created[key], history.errors.code("")
        for op, offset in batch:
            history.published(op, self.process, key, offset, -1, type, none, float(times[offset]), now, event)

    def finish(self) -> None:
        """What is in doubt stays so; what was never sent has failed."""
        for (key, _), batch in self.unanswered.items():
            self._publish(key, batch, INFO)
        for key, batch in self.open.items():
            self._publish(key, batch, FAIL)
