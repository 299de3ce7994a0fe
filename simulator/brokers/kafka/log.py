"""A replica's log: batches at offsets, leader epochs, and what truncation and power loss take away."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from .transaction_index import TransactionIndex


class LogBatch(NamedTuple):
    """Records with consecutive values and offsets, of one leader epoch. Replicas share it; nobody changes it.

    `marker` is "commit" or "abort" on the control record that ends a transaction; `hidden` batches are not handed to
    the application; `content` is what a record of an internal topic says.
    """
    offset: int
    count: int
    epoch: int
    value: int
    producer_id: int
    size: int
    producer_epoch: int = 0
    sequence: int = -1
    transactional: bool = False
    marker: str = ""
    hidden: bool = False
    content: object = None

    @property
    def end(self) -> int:
        """The offset after the last record."""
        return self.offset + self.count


class Log:
    """Batches in offset order; `end_offset` (LEO) is the offset the next record will get.

    `epochs` lists (leader epoch, its first offset), the leader-epoch checkpoint of KIP-101. `high_watermark` is what
    this replica knows of it.
    """

    def __init__(self):
        self.local_start_offset = 0    # the first offset that this disk still has
        self.batches: list[LogBatch] = []
        self.offsets: list[int] = []   # first offset of each batch, for bisection
        self.written: list[float] = []  # when each batch was written here, for power losses
        self.end_offset = 0
        self.high_watermark = 0
        self.epochs: list[tuple[int, int]] = []
        self.last_epoch = -1           # the leader epoch of the last record, -1 if there is none
        self.transactions: TransactionIndex | None = None  # from the first transactional record on

    def append(self, batch: LogBatch, now: float) -> None:
        """Adds a batch at the end of the log."""
        if self.last_epoch != batch.epoch:
            self.epochs.append((batch.epoch, batch.offset))
            self.last_epoch = batch.epoch
        self.batches.append(batch)
        self.offsets.append(batch.offset)
        self.written.append(now)
        self.end_offset = batch.offset + batch.count
        if batch.transactional:
            self._note_transaction(batch)

    def _note_transaction(self, batch: LogBatch) -> None:
        if self.transactions is None:
            self.transactions = TransactionIndex()
        self.transactions.add(batch)

    @property
    def stable_offset(self) -> int:
        """The last stable offset (LSO): everything before it is replicated and belongs to no open transaction."""
        if self.transactions is None:
            return self.high_watermark
        return self.transactions.stable_offset(self.high_watermark)

    def index_of(self, offset: int) -> int:
        """The position of the batch that holds this offset, or would."""
        return bisect_right(self.offsets, offset) - 1 if offset < self.end_offset else len(self.batches)

    def read(self, offset: int, limit: int, max_bytes: int) -> tuple[list[LogBatch], int, int]:
        """The batches from `offset` to `limit`, their bytes and records; at most `max_bytes`, but always one batch."""
        if self.offsets and self.offsets[-1] == offset and self.end_offset <= limit:  # the last batch: nearly always
            last = self.batches[-1]
            return [last], last.size, last.count
        batches, size, count = [], 0, 0
        all_batches, position = self.batches, self.index_of(offset)
        for position in range(position, len(all_batches)):
            batch = all_batches[position]
            if batch.offset >= limit or size >= max_bytes:
                break
            batches.append(batch)
            size += batch.size
            count += batch.count
        return batches, size, count

    def remembered(self) -> list[LogBatch]:
        """The batches by which repeated ones are recognised, in order: what Kafka keeps as producer state."""
        return self.batches

    def size(self) -> int:
        """How many bytes the log holds."""
        return sum(batch.size for batch in self.batches)

    def end_of_epoch(self, epoch: int) -> tuple[int, int]:
        """This log's largest epoch up to `epoch`, and where it ends: OffsetsForLeaderEpoch (KIP-101, KIP-279)."""
        position = bisect_right(self.epochs, (epoch, self.end_offset))
        if position == 0:
            return -1, 0
        end = self.epochs[position][1] if position < len(self.epochs) else self.end_offset
        return self.epochs[position - 1][0], end

    def truncate(self, offset: int) -> list[LogBatch]:
        """Cuts the log to end at or before `offset`, at a batch's border; the batches that were removed."""
        if offset >= self.end_offset:
            return []
        keep = bisect_left(self.offsets, offset)
        if keep and self.batches[keep - 1].end > offset:
            keep -= 1
        removed = self.batches[keep:]
        del self.batches[keep:], self.offsets[keep:], self.written[keep:]
        self.end_offset = self.batches[-1].end if self.batches else self.local_start_offset
        while self.epochs and self.epochs[-1][1] >= self.end_offset:
            self.epochs.pop()
        self.last_epoch = self.epochs[-1][0] if self.epochs else -1
        self.high_watermark = min(self.high_watermark, self.end_offset)
        if any(batch.transactional for batch in removed):
            self.transactions = None
            for batch in self.batches:
                if batch.transactional:
                    self._note_transaction(batch)
        return removed

    def lose_unflushed(self, flushed_before: float) -> list[LogBatch]:
        """What a power loss takes: every batch written after that moment, and all that follow it."""
        keep = bisect_right(self.written, flushed_before)
        return self.truncate(self.offsets[keep]) if keep < len(self.batches) else []
