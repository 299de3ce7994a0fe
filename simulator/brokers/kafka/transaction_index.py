"""What a replica knows of its log's transactions: which are open or aborted, and how far a reader may go.

It is built from the log alone, record by record, so that a new leader knows as much as the old one (KIP-98: the
producer state and the transaction index of a partition). Left out: snapshots of this state, segments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .log import LogBatch


class TransactionIndex:
    """Open, ended and aborted transactions of one log; each producer has at most one open transaction."""

    def __init__(self):
        self.open: dict[int, int] = {}                             # producer id -> first offset of its open transaction
        # (first offset, marker's offset), marker not yet known to be replicated
        self.ended: list[tuple[int, int]] = []
        # producer id -> (first offset, marker's offset), in order
        self.aborted: dict[int, list[tuple[int, int]]] = {}
        self.epochs: dict[int, int] = {}                           # producer id -> the newest producer epoch seen
        # producer id -> the epoch of the coordinator that wrote its last marker
        self.coordinator_epochs: dict[int, int] = {}

    def add(self, batch: LogBatch) -> None:
        """A transactional batch or a marker was appended."""
        producer = batch.producer_id
        self.epochs[producer] = batch.producer_epoch
        if not batch.marker:
            self.open.setdefault(producer, batch.offset)
            return
        self.coordinator_epochs[producer] = batch.content
        first = self.open.pop(producer, None)
        if first is not None:
            self.ended.append((first, batch.offset))
            if batch.marker == "abort":
                self.aborted.setdefault(producer, []).append((first, batch.offset))

    def stable_offset(self, high_watermark: int) -> int:
        """The first offset of a transaction open or without a replicated marker; else the high watermark."""
        while self.ended and self.ended[0][1] < high_watermark:
            self.ended.pop(0)
        return min((high_watermark, *self.open.values(),
                    *(first for first, marker in self.ended if marker >= high_watermark)))

    def was_aborted(self, batch: LogBatch) -> bool:
        """Whether this batch belongs to an aborted transaction."""
        return batch.transactional and any(first <= batch.offset < marker
                                           for first, marker in self.aborted.get(batch.producer_id, ()))

    def committed_only(self, batches: list[LogBatch]) -> list[LogBatch]:
        """The batches as a `read_committed` reader takes them, those of aborted transactions hidden.

        Kafka sends the list of aborted transactions along, and the reader hides their batches.
        """
        return [batch._replace(hidden=True) if self.was_aborted(batch) else batch for batch in batches]
