"""One reader a partition, in order: what a consumer group does with the records of a share group.

A reader takes a record when it is through with the one before. Who owns a partition does not change: it waits for its
reader to come back. Fetching takes no time, and a record is committed as soon as it is done. Rebalances are the matter
of `groups`.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from ....evidence.history import OK
from ....evidence.policy import Guarantees
from ....evidence.queue_history import ACTIONS, QUEUE, QueueHistory
from .kinds import SENTENCES
from .member import sampler
from .topic import Records

if TYPE_CHECKING:
    from ....kernel.world import World
    from ....workload import Workload
    from .config import Partitions


class Reader:
    """One process with its partitions, and the next offset of each."""

    def __init__(self, system: ReadersSystem, number: int):
        self.system, self.world = system, system.world
        zones = system.config.zones
        self.node = self.world.node(f"consumer-{number}", "consumer", zones[(number - 1) % len(zones)])
        self.node.on_start, self.node.on_crash = self.start, self._crashed
        self._work = sampler(self.world, number, system.workload.work)
        self.position = dict.fromkeys(range(number - 1, system.config.partitions, system.workload.consumers), 0)
        self.busy, self.lives, self.attempt = False, 0, 0

    def start(self) -> None:
        """Begins a life; in the history each is a process of its own."""
        self.lives += 1
        self.process = self.system.history.processes.code(self.node.name + (f"/{self.lives}" if self.lives > 1 else ""))
        self.busy, self.attempt = False, 0
        self.wake()

    def wake(self) -> None:
        """There may be something to read: the partition that waited longest comes first."""
        key = next((key for key, offset in self.position.items() if offset < self.system.records.logs[key].end), None)
        if key is not None and self.node.up and not self.busy:
            self.busy = True
            self.position[key] = self.position.pop(key)  # to the end of the queue
            self.attempt = 1
            self._begin(key, self.position[key])

    def _begin(self, key: int, offset: int) -> None:
        history, now, odd = self.system.history, self.world.now, self.system.records.odd(key, offset)
        got = self.system.note("deliver", self.node, key, offset, epoch=self.attempt)
        history.delivered(history.op(), self.process, key, offset, self.attempt, inf, now, got)
        if odd and odd.kind == "deadly":
            self.node.after(self._work(), self._die, key, offset)
        else:
            work = self._work() + (odd.seconds if odd and odd.kind == "slow" else 0.0)
            self.node.after(work, self._done, key, offset, odd is not None and odd.kind == "poison")

    def _done(self, key: int, offset: int, failed: bool) -> None:
        self.system.note("failed" if failed else "done", self.node, key, offset)
        if failed and self.attempt < self.system.config.attempts:
            self.attempt += 1
            self.system.settled(self.process, key, offset, "requeue")
            self._begin(key, offset)
            return
        self.system.settled(self.process, key, offset, "deadletter" if failed else "ack")
        self.position[key], self.busy = offset + 1, False
        self.wake()

    def _die(self, key: int, offset: int) -> None:
        self.system.note("killed", self.node, key, offset)
        self.node.crash()
        self.world.after(self.system.config.restart_after, self.node.restart)

    def _crashed(self, power_lost: bool) -> None:
        self.system.history.disconnect(self.system.history.processes[self.process], self.world.now)
        self.busy = False


class ReadersSystem:
    """All readers, and the records that come to them."""

    def __init__(self, config: Partitions, world: World, workload: Workload):
        self.config, self.world, self.workload, self.history = config, world, workload, QueueHistory()
        used = ("append", "deliver", "done", "failed", "killed")
        self.kinds = {name: world.trace.kind(name, *SENTENCES[name]) for name in used}
        self.records = Records(config, world, workload, self.history)
        self.source = world.node("producer-1", "producer", config.zones[0])
        self.process = self.history.processes.code("producer-1")
        self.readers = [Reader(self, number + 1) for number in range(workload.consumers)]
        for reader in self.readers:
            reader.start()
        self.reader_of = {key: reader for reader in self.readers for key in reader.position}
        for record, time in enumerate(self.records.times.tolist()):
            world.at(time, self._publish, (int(self.records.partition[record]), int(self.records.offset[record])))

    def _publish(self, key: int, offset: int) -> None:
        history, now = self.history, self.world.now
        self.records.logs[key].append(offset, 1)
        event = self.note("append", self.source, key, offset)
        history.published(history.op(), self.process, key, offset, -1, OK, history.errors.code(""), now, now, event)
        if key in self.reader_of:
            self.reader_of[key].wake()

    def settled(self, process: int, key: int, offset: int, action: str) -> None:
        """A reader commits, tries once more, or goes on without a record."""
        process = self.history.processes.code(QUEUE) if action == "deadletter" else process
        self.history.settled(self.history.op(), process, key, offset, ACTIONS.index(action), OK, self.world.now)

    def note(self, kind: str, node, key: int, offset: int, epoch: int = -1) -> int:
        """Writes into the trace what happened to a record."""
        return self.world.trace.add(self.world.now, self.kinds[kind], node.code, -1, key, -1, offset, 1, epoch, offset)

    @property
    def guarantees(self) -> Guarantees:
        """At least once, each partition in order."""
        return Guarantees(delivery_limit=self.config.attempts)

    def quiet(self) -> bool:
        """Whether everything is read."""
        ends = {key: log.end for key, log in enumerate(self.records.logs)}
        read = all(reader.position[key] == ends[key] for key, reader in self.reader_of.items())
        return len(self.reader_of) == len(ends) and read and sum(ends.values()) == len(self.records.times)

    def finish(self) -> None:
        """The history is drained if nothing is left to read."""
        self.history.drained = self.quiet()
