"""What is known of the object store's part of each log: the topic `__remote_log_metadata` as a table.

A segment begins as COPY_STARTED, becomes COPY_FINISHED, later DELETE_STARTED, and is then forgotten; a late word
about a segment that has moved on is refused. Readers see finished segments only, and only those whose epoch at the
wanted offset is that of their own log: so two leaders may have copied the same records, and what an unclean election
undid is never read (KIP-405, "Unclean leader election").
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

from ..log import LogBatch
from .segments import SegmentedLog, epoch_at

STARTED, FINISHED, DELETING = "COPY_STARTED", "COPY_FINISHED", "DELETE_STARTED"
SUFFIXES = ("log", "indexes", "rsm-manifest")   # the objects of one segment, as Aiven's plug-in writes them
INDEX_SHARE = 20 / 4096                         # entries of 8 and 12 bytes in two indexes for every 4 KiB of log
MANIFEST_BYTES = 1_000


@dataclass(eq=False)
class RemoteSegment:
    """One copied segment: offsets, bytes, when its last record was written, and the leader epochs up to its end."""
    id: int
    prefix: str
    base: int
    end: int
    size: int
    last: float
    epochs: tuple[tuple[int, int], ...]
    batches: tuple[LogBatch, ...]
    state: str = STARTED
    starts: list[int] = field(default_factory=list)   # the byte at which each batch begins

    def __post_init__(self):
        position = 0
        for batch in self.batches:
            self.starts.append(position)
            position += batch.size

    def object(self, suffix: str) -> str:
        """The key of one of its objects."""
        return f"{self.prefix}/{self.base:020d}-{self.id}.{suffix}"

    def objects(self) -> list[tuple[str, int, object]]:
        """The objects to write, in this order: key, bytes, content."""
        sizes = (self.size, round(self.size * INDEX_SHARE), MANIFEST_BYTES)
        return [(self.object(suffix), size, self.batches if suffix == "log" else None)
                for suffix, size in zip(SUFFIXES, sizes)]

    def chunk_of(self, offset: int, chunk_bytes: int) -> int:
        """The number of the chunk in which the batch with this offset begins."""
        index = bisect_left(self.batches, offset, key=lambda batch: batch.end - 1)
        return self.starts[index] // chunk_bytes

    def chunk(self, number: int, chunk_bytes: int) -> list[LogBatch]:
        """The batches that begin in this chunk."""
        first, last = (bisect_left(self.starts, border * chunk_bytes) for border in (number, number + 1))
        return list(self.batches[first:last])


class RemoteLog:
    """The remote segments of one partition; `start_offset` is the first offset that retention has left."""

    def __init__(self, prefix: str):
        self.prefix, self.start_offset = prefix, 0
        self.segments: list[RemoteSegment] = []
        self._ids = 0

    def begin(self, log: SegmentedLog, base: int, end: int, last: float) -> RemoteSegment:
        """A copy of these offsets of a log begins."""
        batches = tuple(log.between(base, end))
        self._ids += 1
        segment = RemoteSegment(self._ids, self.prefix, base, end, sum(batch.size for batch in batches), last,
                                tuple((epoch, start) for epoch, start in log.epochs if start < end), batches)
        self.segments.append(segment)
        return segment

    def find(self, log: SegmentedLog, offset: int) -> RemoteSegment | None:
        """The finished segment that holds this offset as this log knows it, the last copied if there are several."""
        epoch = log.epoch_at(offset)
        return next((segment for segment in reversed(self.segments) if segment.base <= offset < segment.end
                     and segment.state == FINISHED and epoch_at(segment.epochs, offset) == epoch), None)

    def is_for(self, log: SegmentedLog, segment: RemoteSegment) -> bool:
        """Whether a leader with this log decides about a segment: it has the same records, or none of these epochs."""
        last = segment.end - 1
        same = last < log.end_offset and log.epoch_at(last) == epoch_at(segment.epochs, last)
        return same or segment.epochs[-1][0] < log.epoch_at(self.start_offset)

    def finish(self, segment: RemoteSegment) -> bool:
        """A copy is complete; False if somebody has given it up meanwhile."""
        if segment.state == STARTED:
            segment.state = FINISHED
        return segment.state == FINISHED

    def forget(self, segment: RemoteSegment) -> None:
        """All its objects are deleted."""
        if segment in self.segments:
            self.segments.remove(segment)
