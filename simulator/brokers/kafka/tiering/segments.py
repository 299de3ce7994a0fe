"""A log cut into segments, of which the oldest may be gone from this disk."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator

from ..log import Log, LogBatch
from .config import Tiering


SNAPSHOT = 50  # batches in a producer snapshot; a broker recognises the last five of each producer


class Segment:
    """Consecutive batches in one file: first offset, bytes, and when its first and its last batch were written here."""

    __slots__ = ("base", "size", "opened", "last")

    def __init__(self, base: int, now: float):
        self.base, self.size, self.opened, self.last = base, 0, now, now


class SegmentedLog(Log):
    """A log whose last segment is open; `local_start_offset` is the first offset that this disk still has.

    `bytes_before[i]` is how many bytes were ever appended before batch i; `on_bytes` hears of every change of what is
    on the disk.
    """

    def __init__(self, settings: Tiering, on_bytes: Callable[[int], None]):
        super().__init__()
        self.settings, self.on_bytes = settings, on_bytes
        self.segments: list[Segment] = []
        self.bytes_before: list[int] = []
        self.appended = 0
        self.snapshot: list[LogBatch] = []

    def append(self, batch: LogBatch, now: float) -> None:
        """Adds a batch, to a new segment if the last one is full or old."""
        last = self.segments[-1] if self.segments else None
        if last is None or self._full(last, batch, now):
            last = Segment(batch.offset, now)
            self.segments.append(last)
        last.size += batch.size
        last.last = now
        self.bytes_before.append(self.appended)
        self.appended += batch.size
        super().append(batch, now)
        self.on_bytes(batch.size)

    def _full(self, last: Segment, batch: LogBatch, now: float) -> bool:
        settings = self.settings
        return last.size + batch.size > settings.segment_bytes or now - last.opened >= settings.segment_time

    @property
    def stored(self) -> int:
        """Bytes on this disk."""
        return self.appended - self.bytes_before[0] if self.bytes_before else 0

    def closed(self) -> Iterator[tuple[Segment, int]]:
        """The closed segments, oldest first, each with the offset after its last record."""
        for segment, following in zip(self.segments, self.segments[1:]):
            yield segment, following.base

    def between(self, start: int, end: int) -> list[LogBatch]:
        """The batches from one offset to another, both borders of batches."""
        return self.batches[bisect_left(self.offsets, start):bisect_left(self.offsets, end)]

    def epoch_at(self, offset: int) -> int:
        """The leader epoch in which this offset was written, -1 if nobody knows."""
        return epoch_at(self.epochs, offset)

    def behind(self, offset: int) -> int:
        """How many bytes lie from this offset to the end of the log."""
        index = self.index_of(offset)
        return self.appended - self.bytes_before[index] if index < len(self.bytes_before) else 0

    def remembered(self) -> list[LogBatch]:
        """The latest batches, also those that have left this disk: a producer snapshot is kept with each segment."""
        return self.snapshot + self.batches

    def delete_before(self, offset: int) -> None:
        """Deletes the segments that end at or before this offset, a border of segments."""
        before, keep = self.stored, bisect_left(self.offsets, offset)
        self.snapshot = (self.snapshot + self.batches[:keep])[-SNAPSHOT:]
        for column in (self.batches, self.offsets, self.written, self.bytes_before):
            del column[:keep]
        self.segments = [segment for segment in self.segments if segment.base >= offset]
        self.local_start_offset = offset
        self.on_bytes(self.stored - before)

    def truncate(self, offset: int) -> list[LogBatch]:
        """Cuts the log; what was deleted from its beginning stays deleted."""
        before = self.stored
        removed = super().truncate(max(offset, self.local_start_offset))
        if removed:
            self.appended = self.bytes_before[len(self.batches)]
            del self.bytes_before[len(self.batches):]
            self.segments = [segment for segment in self.segments if segment.base < self.end_offset]
            if self.segments:
                self.segments[-1].size = self.behind(self.segments[-1].base)
            self.on_bytes(self.stored - before)
        return removed

    def begin_anew(self, offset: int, epochs: list[tuple[int, int]], snapshot: Iterable[LogBatch]) -> None:
        """Forgets everything and goes on at this offset, as if all before had been here and been deleted."""
        self.snapshot = list(snapshot)[-SNAPSHOT:]
        self.on_bytes(-self.stored)
        for column in (self.batches, self.offsets, self.written, self.bytes_before, self.segments):
            column.clear()
        self.end_offset = self.local_start_offset = self.high_watermark = offset
        self.epochs = [(epoch, start) for epoch, start in epochs if start < offset]
        self.last_epoch = self.epochs[-1][0] if self.epochs else -1


def epoch_at(epochs, offset: int) -> int:
    """The leader epoch of an offset, by the first offset of each epoch."""
    return next((epoch for epoch, start in reversed(epochs) if start <= offset), -1)
