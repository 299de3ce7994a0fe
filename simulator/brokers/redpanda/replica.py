"""One replica of a partition: a member of the partition's Raft group, and what its clients see of it.

Raft counts entries, clients count records: the entry with which a leader begins its term is none. So offsets are
translated, as Redpanda does it (offset translator); in a trace and in a history they count records. What a producer
repeats is recognised by its sequence (KIP-98) in the leader's log, committed or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...kernel.raft import Entry, Log, Member
from ...kernel.raft.member import LEADER
from ..kafka.log import Log as Records
from ..kafka.log import LogBatch
from ..kafka.messages import BATCH_OVERHEAD, NO_ERROR, Error, ProducerBatch, ProduceRequest

if TYPE_CHECKING:
    from .broker import Broker
    from .transforms import Processor

REMOVED = ("truncate", "lost_unflushed")


class CountedLog(Log):
    """A Raft log that knows how many records are before each entry, and what was last cut off."""

    def __init__(self):
        super().__init__()
        self.before = [0]
        self.removed: list[Entry] = []

    def append(self, entries: list[Entry], now: float) -> None:
        super().append(entries, now)
        for entry in entries:
            self.before.append(self.before[-1] + records(entry))

    def truncate(self, offset: int) -> list[Entry]:
        self.removed = super().truncate(offset)
        del self.before[offset + 1:]
        return self.removed

    def end_of_epoch(self, epoch: int) -> tuple[int, int]:
        """The latest term here that is not after this epoch, and the record offset at which it ends (KIP-320)."""
        term, end = self.end_of_term(epoch)
        return term, self.before[end]


class Sequences:
    """Which of an idempotent producer's batches a log holds: sequence -> offset of the entry, for its newest epoch."""

    def __init__(self, log: Log):
        self.epoch, self.next = -1, 0
        self.known: dict[int, int] = {}
        for offset, entry in enumerate(log.entries):
            if entry.value is not None:
                self.add(entry.value, offset)

    def add(self, batch: LogBatch | ProducerBatch, offset: int) -> None:
        if batch.producer_id >= 0:
            if batch.producer_epoch != self.epoch:
                self.epoch, self.known = batch.producer_epoch, {}
            self.known[batch.sequence] = offset
            self.next = batch.sequence + batch.count

    def check(self, batch: ProducerBatch) -> tuple[Error, int | None]:
        """What is wrong with a batch, if anything, and where it is if the log has it already."""
        if batch.producer_id < 0 or self.epoch < 0:
            return NO_ERROR, None
        if batch.producer_epoch != self.epoch:
            older = batch.producer_epoch < self.epoch
            return (Error.INVALID_PRODUCER_EPOCH if older else
                    Error.OUT_OF_ORDER_SEQUENCE_NUMBER if batch.sequence else NO_ERROR), None
        known = self.known.get(batch.sequence)
        in_order = known is not None or batch.sequence == self.next
        return NO_ERROR if in_order else Error.OUT_OF_ORDER_SEQUENCE_NUMBER, known


class Replica(Member):
    """A member whose entries are batches; `committed` is what it knows to be committed, as consumers read it."""

    broker: Broker
    key: int

    def __init__(self, *args):
        super().__init__(*args)
        self.log = CountedLog()

    def forget(self) -> None:
        super().forget()
        self.committed = Records()
        self.waiting: dict[int, list[tuple[ProducerBatch, ProduceRequest]]] = {}
        self.sequences: Sequences | None = None
        self.processor: Processor | None = None

    @property
    def leading(self) -> bool:
        return self.role == LEADER

    # A leader's term

    def begin_term(self) -> None:
        """A new leader looks up in its log what producers have sent."""
        self.sequences, self.waiting = Sequences(self.log), {}
        self.processor = self.broker.system.processor(self)

    def resign(self, event: int) -> None:
        """Whoever still waits is told to look for the new leader; the batch may be committed all the same."""
        waiting, self.waiting, self.processor = self.waiting, {}, None
        for batch, request in [one for several in waiting.values() for one in several]:
            batch.maybe_appended = True
            self.broker.settle(request, batch, Error.NOT_LEADER_OR_FOLLOWER, -1, event)
        self.broker.dismiss(self.key, event)

    def write(self, batch: ProducerBatch, request: ProduceRequest, event: int) -> None:
        """Appends a batch the log lacks; acks="all" is answered once a majority has it, anything else at once."""
        error, entry = self.sequences.check(batch)
        if error is not NO_ERROR:
            self.broker.refuse(request, batch, error, self.term, event)
            return
        known = entry is not None
        entry = entry if known else self.log.end_offset
        offset = self.log.before[entry]
        if known:
            self.broker.note("deduplicated", self.key, event, offset, batch.count, self.term, batch.value)
        waits = request.acks == "all" and entry >= self.high_watermark
        if waits:
            self.waiting.setdefault(entry, []).append((batch, request))
        if not known:
            self.sequences.add(batch, entry)
            self.propose(LogBatch(offset, batch.count, self.term, batch.value, batch.producer_id,
                                  batch.size + BATCH_OVERHEAD, batch.producer_epoch, batch.sequence), None,
                         batch.size + BATCH_OVERHEAD, event)
        if not waits:
            self.broker.settle(request, batch, NO_ERROR, offset, event)

    def apply(self, offset: int, entry: Entry, event: int) -> None:
        """An entry is committed: consumers may read it, and its producer is answered."""
        if entry.value is None:
            return
        self.committed.append(entry.value, self.world.now)
        for batch, request in self.waiting.pop(offset, ()):
            self.broker.settle(request, batch, NO_ERROR, entry.value.offset, event)
        if self.leading:
            self.broker.wake(self.key, event)
        if self.processor:
            self.processor.step(event)

    # What the trace says counts records

    def note(self, kind: str, cause: int, offset: int = -1, count: int = 0, epoch: int = -1, value: int = -1,
             text: str = "") -> int:
        if offset >= 0:
            entries = self.log.removed if kind in REMOVED else self.log.entries[offset:offset + count] if count else []
            offset, count, value = self.log.before[offset], sum(map(records, entries)), first_value(entries)
        return super().note(kind, cause, offset, count, epoch, value, text)

    def send(self, kind: str, peer: Member, handler, message, cause: int, size: int = 0, **columns) -> None:
        if columns.get("offset", -1) >= 0:
            entries = getattr(message, "entries", ())
            columns["offset"] = self.log.before[min(columns["offset"], self.log.end_offset)]
            columns |= dict(count=sum(map(records, entries)), value=first_value(entries))
        super().send(kind, peer, handler, message, cause, size, **columns)


def records(entry: Entry) -> int:
    """How many records an entry holds."""
    return entry.value.count if entry.value is not None else 0


def first_value(entries) -> int:
    """The value of the first record in these entries, -1 if there is none."""
    return next((entry.value.value for entry in entries if entry.value is not None), -1)
