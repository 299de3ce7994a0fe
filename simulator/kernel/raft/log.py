"""The log of one member: entries, how far they are on disk, and where it leaves another log."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """One entry: the term it was appended in, what was proposed (None for a new leader's no-op), its size in bytes."""
    term: int
    value: Any
    size: int = 100


class Log:
    """Entries at offsets 0, 1, ...; terms never decrease along a log.

    `flushed`: an fsync has returned for all entries below it. `flushing`: one is under way for those below it.
    """

    def __init__(self):
        self.entries: list[Entry] = []
        self.flushed = self.flushing = 0
        self._written: list[float] = []  # when each entry was written, in seconds

    @property
    def end_offset(self) -> int:
        """The offset of the next entry."""
        return len(self.entries)

    @property
    def last_term(self) -> int:
        """The term of the last entry, 0 if there is none."""
        return self.entries[-1].term if self.entries else 0

    def term_before(self, offset: int) -> int:
        """The term of the entry just before an offset, 0 at the beginning."""
        return self.entries[offset - 1].term if offset else 0

    def holds(self, offset: int, previous_term: int) -> bool:
        """Whether up to an offset this log equals any log whose entry before it has that term (log matching)."""
        return offset <= self.end_offset and self.term_before(offset) == previous_term

    def covers(self, last_term: int, end_offset: int) -> bool:
        """Whether a log that ends so is as up to date: a later last term, or the same and as long (Raft 5.4.1)."""
        return (last_term, end_offset) >= (self.last_term, self.end_offset)

    def end_of_term(self, term: int) -> tuple[int, int]:
        """The latest term here that is not after the given one, and the offset at which its entries end (KIP-595)."""
        end = bisect_right(self.entries, term, key=_term)
        return self.term_before(end), end

    def append(self, entries: list[Entry], now: float) -> None:
        """Writes entries into the page cache."""
        self.entries += entries
        self._written += [now] * len(entries)

    def truncate(self, offset: int) -> list[Entry]:
        """Cuts the log back to an offset; the entries removed."""
        removed = self.entries[offset:]
        del self.entries[offset:], self._written[offset:]
        self.flushed, self.flushing = min(self.flushed, offset), min(self.flushing, offset)
        return removed

    def lose_unflushed(self, written_before: float) -> list[Entry]:
        """A power loss: removes what no fsync, and no write-back of all that is older than that moment, put on disk."""
        return self.truncate(max(self.flushed, bisect_right(self._written, written_before)))


def _term(entry: Entry) -> int:
    return entry.term
