"""An agent: a buffer for all partitions, files on their way, and nothing that has to survive it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from .files import A_BATCH, JOURNAL, OVERHEAD, Entry, File, Request, name_of
from .metadata import REFUSED
from .storage import Storage
from .upkeep import Upkeep

if TYPE_CHECKING:
    from .system import WarpStreamSystem

COMMIT_TIMEOUT = 1.0    # seconds until an agent asks the metadata service again


class Agent:
    """Takes records for any partition; acknowledges them when their file is written and committed."""

    def __init__(self, system: WarpStreamSystem, number: int, name: str):
        self.system, self.world, self.kinds, self.config = system, system.world, system.kinds, system.config
        self.number, zone = number, system.config.zone(number)
        self.node = self.world.node(f"{name}-{number + 1}", "broker", zone)
        self.node.on_crash = self._crashed
        self.storage, self.cache = Storage(self, system.buckets), system.caches[zone]
        self.upkeep = Upkeep(self)
        self.files_made = 0
        self._forget()

    def _forget(self) -> None:
        self.buffer: list[Request] = []
        self.buffered, self.timer = 0, None
        self.queue: deque[File] = deque()            # written in parallel, committed in this order
        self.committing: dict[str, File] = {}

    def _crashed(self, power_lost: bool) -> None:
        self._forget()
        self.cache.lose(self)

    # Writing: buffer, file, commit, acknowledgement

    def on_produce(self, request: Request, event: int) -> None:
        """Records join the buffer, whatever their partition."""
        request.event = event
        self.buffer.append(request)
        self.buffered += request.size
        if self.buffered >= self.config.batch_bytes:
            self._flush()
        elif self.timer is None:
            self.timer = self.node.after(self.config.batch_timeout, self._flush)

    def _flush(self) -> None:
        """The buffer becomes a file and sets out for the store."""
        self.timer.cancel() if self.timer else None
        self.files_made += 1
        name = name_of(JOURNAL, self.world.now, self.node.name, self.files_made)
        file = File(name, self.world.now, self.buffer, self.buffered)
        self.buffer, self.buffered, self.timer = [], 0, None
        file.event = self.note("flush", file.requests[-1].event, file.records, name)
        self.queue.append(file)
        self.storage.put(file, lambda ok: self._written(file, ok))

    def _written(self, file: File, ok: bool) -> None:
        file.state = "written" if ok else "failed"
        if ok:
            file.event = self.note("written", file.event, text=file.name)
        while self.queue and self.queue[0].state != "writing":
            self._finish(self.queue.popleft())

    def _finish(self, file: File) -> None:
        """A file whose turn has come: to be committed, or to be sent again by those who wait for it."""
        if file.state == "failed":
            self.note("failed", file.event, len(file.requests), file.name)
            for request in file.requests:
                self._answer(request, None, file.event)
        else:
            if self.config.lightning:
                for request in file.requests:
                    self._answer(request, [-1] * len(request.batches), file.event)
            self.commit(file)

    def commit(self, file: File) -> None:
        """Asks until there is an answer; asking twice changes nothing."""
        self.committing[file.name] = file
        link = self.world.network.link(self.node, self.system.metadata.node)
        link.send(self.kinds.commit, self.system.metadata.on_commit, (self, file),
                  OVERHEAD + A_BATCH * len(file.batches), file.event, -1, -1, file.records)
        self.node.after(COMMIT_TIMEOUT, self._again, file)

    def _again(self, file: File) -> None:
        if file.name in self.committing:
            self.commit(file)

    def on_committed(self, message: tuple[File, dict[int, int]], event: int) -> None:
        """The commit is through: now the producers may know."""
        file, results = message
        if self.committing.pop(file.name, None) is None or self.config.lightning:
            return
        for request in file.requests:
            offsets = [results[batch.op] for batch in request.batches]
            self._answer(request, None if REFUSED in offsets else offsets, event)

    def _answer(self, request: Request, offsets: list[int] | None, cause: int) -> None:
        """Offsets in the order of the request's batches, or None: send it again."""
        link = self.world.network.link(self.node, request.producer.node)
        stored = 0 if offsets is None else sum(batch.count for batch in request.batches)
        link.send(self.kinds.produced, request.producer.on_produced, (request, request.attempt, offsets),
                  OVERHEAD, cause, -1, -1, stored)

    # Reading

    def on_poll(self, poll, event: int) -> None:
        """A consumer wants records: first the metadata service says where they are."""
        link = self.world.network.link(self.node, self.system.metadata.node)
        link.send(self.kinds.find, self.system.metadata.on_find, (self, poll), OVERHEAD, event)

    def on_found(self, message: tuple, event: int) -> None:
        """Then their files are read, each once a zone; the answer leaves when all are here."""
        poll, found = message
        files = list({entry.file.name: entry.file for _, entry in found}.values())
        missing = [len(files), True]

        def one(ok: bool) -> None:
            missing[0] -= 1
            missing[1] = missing[1] and ok
            if not missing[0]:
                self._hand_over(poll, found if missing[1] else [], event)
        for file in files:
            self.cache.read(self, file, one, event)
        if not files:
            self._hand_over(poll, [], event)

    def _hand_over(self, poll, found: list[tuple[int, Entry]], cause: int) -> None:
        """Records, or nothing if a file could not be read: then the consumer asks again."""
        size = sum(entry.size for _, entry in found)
        link = self.world.network.link(self.node, poll.consumer.node)
        link.send(self.kinds.polled, poll.consumer.on_polled, (poll, found), OVERHEAD + size, cause, -1, -1,
                  sum(entry.count for _, entry in found))

    def note(self, kind: str, cause: int, count: int = 0, text: str = "", peer: int = -1) -> int:
        """Writes what happened here into the trace."""
        return self.world.trace.add(self.world.now, getattr(self.kinds, kind), self.node.code, peer, -1, cause,
                                    -1, count, -1, -1, text)
