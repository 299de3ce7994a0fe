"""The metadata service: one order for all commits. It gives out offsets, and decides what happened once and what never.

A file is committed at most once, whatever its agent repeats. A batch of an idempotent producer is stored if it is the
next of its sequence, recognised if it was stored before, refused if one before it is missing. A file that was declared
an orphan can never be committed: that is decided here, in the same order, and not by whoever deletes it.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from .files import A_BATCH, JOURNAL, OVERHEAD, Batch, Entry, File, age

if TYPE_CHECKING:
    from .system import WarpStreamSystem

REFUSED = -1                # instead of an offset: send it again
FETCH_MAX_BYTES = 50 << 20  # of one answer to a consumer
FETCH_MAX_WAIT = 0.5        # seconds an agent's question waits for records


class Metadata:
    """What is where: the log of each partition as a list of entries, each of which names a file."""

    def __init__(self, system: WarpStreamSystem, name: str):
        self.system, self.world, self.kinds, config = system, system.world, system.kinds, system.config
        self.node = self.world.node(name, "controller", config.zone(0))
        self.node.on_crash = lambda power_lost: self._forget()
        self._latency = self.world.sampler("metadata", config.metadata_latency)
        self.sequences = config.exactly_once
        self.logs: list[list[Entry]] = [[] for _ in range(config.partitions)]
        # where each entry begins, for bisection
        self.offsets: list[list[int]] = [[] for _ in range(config.partitions)]
        self.ends = [0] * config.partitions
        self.done: dict[str, dict[int, int]] = {}      # file -> offset or REFUSED by operation
        self.dead: set[str] = set()                    # orphans: never to be committed
        self.live: dict[str, File] = {}
        self.small: list[File] = []                    # committed and not compacted, oldest first
        self.next: dict[tuple[int, int], tuple[int, int]] = {}   # (producer, key) -> its epoch, the next sequence
        self.stored: dict[tuple[int, int, int, int], int] = {}   # (producer, epoch, key, value) -> offset
        self._forget()

    def _forget(self) -> None:
        """Its state is kept by a quorum of others; who was waiting for an answer is not."""
        self._last: dict[int, float] = {}    # agent -> when its last commit takes effect
        self.waiting: list[tuple] = []

    # Commits

    def on_commit(self, message: tuple, event: int) -> None:
        """A file is to be committed; those of one agent take effect in the order in which they came."""
        agent, file = message
        at = max(self._last.get(agent.number, 0.0), self.world.now + self._latency())
        self._last[agent.number] = at
        self.node.after(at - self.world.now, self._commit, agent, file, event)

    def _commit(self, agent, file: File, event: int) -> None:
        if file.name not in self.done:
            self.done[file.name] = self._apply(file, event)
        results = self.done[file.name]
        self._answer(agent, self.kinds.committed, agent.on_committed, (file, results), A_BATCH * len(results),
                     event, file.records)
        self._wake()

    def _apply(self, file: File, event: int) -> dict[int, int]:
        if file.name in self.dead:
            return {batch.op: self._refuse(batch, event, "its file was declared an orphan") for batch in file.batches}
        results = {batch.op: self._place(batch, file, event) for batch in file.batches}
        if file.entries:
            self.live[file.name] = file
            self.small.append(file)
        return results

    def _place(self, batch: Batch, file: File, event: int) -> int:
        """The offset of a batch, new or known; REFUSED if it is not its turn."""
        who, what = (batch.producer, batch.key), (batch.producer, batch.epoch, batch.key, batch.value)
        if self.sequences:
            epoch, expected = self.next.get(who, (0, 0))
            if what in self.stored:
                self._note("deduplicated", batch, event, self.stored[what])
                return self.stored[what]
            if batch.epoch < epoch:
                return self._refuse(batch, event, "its producer has begun a new epoch")
            if batch.sequence != (expected if batch.epoch == epoch else 0):
                return self._refuse(batch, event, "one before it is missing")
            self.next[who] = (batch.epoch, batch.sequence + batch.count)
        self.stored[what] = self._append(batch, file, event)
        return self.stored[what]

    def _append(self, batch: Batch, file: File, event: int) -> int:
        offset = self.ends[batch.key]
        entry = Entry(offset, batch.count, batch.value, batch.size, file)
        file.entries.append(entry)
        self.logs[batch.key].append(entry)
        self.offsets[batch.key].append(offset)
        self.ends[batch.key] += batch.count
        self._note("append", batch, event, offset)
        return offset

    def _refuse(self, batch: Batch, event: int, why: str) -> int:
        self._note("refused", batch, event, -1, why)
        return REFUSED

    def _note(self, kind: str, batch: Batch, cause: int, offset: int, text: str = "") -> None:
        self.world.trace.add(self.world.now, getattr(self.kinds, kind), self.node.code, -1, batch.key, cause, offset,
                             batch.count, batch.epoch, batch.value, text)

    def _answer(self, agent, kind: int, handler, message, size: int, event: int, count: int = 0) -> None:
        link = self.world.network.link(self.node, agent.node)
        link.send(kind, handler, message, size + OVERHEAD, event, -1, -1, count)

    # Where to read

    def on_find(self, message: tuple, event: int) -> None:
        """Where the next records are; the answer waits a while if there are none."""
        self.node.after(self._latency(), self._find, message, event)

    def _find(self, message: tuple, event: int) -> None:
        if not self._tell(message, event):
            question = (message, event)
            self.waiting.append(question)
            self.node.after(FETCH_MAX_WAIT, self._waited, question)

    def _waited(self, question: tuple) -> None:
        if question in self.waiting:
            self.waiting.remove(question)
            self._tell(*question, even_if_none=True)

    def _wake(self) -> None:
        waiting, self.waiting = self.waiting, []
        self.waiting = [question for question in waiting if not self._tell(*question)]

    def _tell(self, message: tuple, event: int, even_if_none: bool = False) -> bool:
        agent, poll = message
        found = self._after(poll.positions)
        if found or even_if_none:
            records = sum(entry.count for _, entry in found)
            self._answer(agent, self.kinds.found, agent.on_found, (poll, found), A_BATCH * len(found), event, records)
        return bool(found) or even_if_none

    def _after(self, positions: dict[int, int]) -> list[tuple[int, Entry]]:
        """(key, entry) for what follows these positions, up to what one answer may carry."""
        found, share = [], FETCH_MAX_BYTES // len(positions)
        for key, position in positions.items():
            size, log = 0, self.logs[key]
            at = bisect_right(self.offsets[key], position) - 1 if position < self.ends[key] else len(log)
            while at < len(log) and size < share:
                found.append((key, log[at]))
                size += log[at].size
                at += 1
        return found

    # What nobody needs

    def on_scan(self, message: tuple, event: int) -> None:
        """Which of these objects may be deleted, and which were acknowledged and still have to be committed."""
        agent, names = message
        config, now = self.system.config, self.world.now
        lost = [name for name in names if name not in self.done and name not in self.live
                and age(name, now) > config.orphan_age]
        late = [name for name in lost if config.lightning and config.slow_path and name.startswith(JOURNAL)]
        orphans = [name for name in lost if name not in late]
        self.dead.update(orphans)
        garbage = [name for name in names if name in self.dead or name in self.done and name not in self.live]
        self._answer(agent, self.kinds.scanned, agent.upkeep.on_scanned, (garbage, orphans, late), 0,
                     event, len(garbage))

    def on_replace(self, message: tuple, event: int) -> None:
        """A large file takes the place of small ones, if all of them are still there."""
        agent, old, new = message
        if new.name in self.dead or any(file.name not in self.live for file in old):
            return
        for file in old:
            del self.live[file.name]
            for entry in file.entries:
                entry.file = new
            new.entries.extend(file.entries)
        self.live[new.name] = new
        self.small = [file for file in self.small if file.name in self.live]
        self._answer(agent, self.kinds.replaced, agent.upkeep.on_replaced, new, 0, event)
