"""What all clients together know about one key: which record lies where, who wrote it and whether anybody read it.

The derived structures of a log check. Nothing is inferred that clients did not see: a record whose place nobody was
told has none, and offsets may be sparse (markers, compaction), so that a record's *position* counts only offsets known
to hold one.
"""

from __future__ import annotations

import numpy as np

from .history import FAIL, OK
from .pieces import cut, ranges, ranks


class KeyLog:
    """The log of one key, as its sends and polls tell it.

    `sends` and `polls` are rows of a history in the order in which each process invoked them; `proven` says for each
    send whether it certainly happened, `final_reader` which process read the whole log in the end. A *stretch* is a
    piece of the key's values; a *place* is a piece of its offsets; both are numbered in ascending order. Arrays named
    after a property of stretches (`acknowledged`, `read`,
    `left` for what the final reader found, ...) have one entry a stretch.
    """

    def __init__(self, sends: np.ndarray, polls: np.ndarray, proven: np.ndarray, final_reader: int = -1):
        self.sends, self.polls, self.proven = sends, polls, proven
        columns = (np.concatenate((sends[name], polls[name])) for name in ("value", "count", "offset"))
        self.pieces = cut(*columns)
        self.start, self.stretch = ranks(self.pieces.value)
        self.size = self._spread(self.pieces.count)
        self.of_send = np.flatnonzero(self.pieces.row < len(sends))
        self.of_poll = np.flatnonzero(self.pieces.row >= len(sends))
        self.send_row, self.poll_row = self.pieces.row[self.of_send], self.pieces.row[self.of_poll] - len(sends)
        self._note_outcomes(final_reader)
        self._lay_out(self._evidence())
        self.known_position = self._known_position()

    def _spread(self, column: np.ndarray) -> np.ndarray:
        """A column of the pieces as a property of their stretches."""
        result = np.zeros(len(self.start), column.dtype)
        result[self.stretch] = column
        return result

    def _note_outcomes(self, final_reader: int) -> None:
        sent_as, written = self.sends["type"][self.send_row], self.stretch[self.of_send]
        self.acknowledged = self._marked(written[sent_as == OK])
        self.committed = self._marked(written[self.proven[self.send_row]])
        self.failed = self._marked(written[sent_as == FAIL]) & ~self._marked(written[sent_as != FAIL])
        shown, good = self.stretch[self.of_poll], self.polls["type"][self.poll_row] == OK
        self.read = self._marked(shown[good])
        self.left = self._marked(shown[good & (self.polls["process"][self.poll_row] == final_reader)])

    def _marked(self, stretches: np.ndarray) -> np.ndarray:
        result = np.zeros(len(self.start), bool)
        result[stretches] = True
        return result

    def _evidence(self) -> np.ndarray:
        """The pieces that say what lies where: all that was polled and certainly sent, as far as offsets are known."""
        certain = np.ones(len(self.pieces.row), bool)
        certain[self.of_send] = self.proven[self.send_row]
        return np.flatnonzero(certain & (self.pieces.offset >= 0))

    def _lay_out(self, evidence: np.ndarray) -> None:
        self.offset, place = ranks(self.pieces.offset[evidence])
        self.width = np.zeros(len(self.offset), np.int64)
        self.width[place] = self.pieces.count[evidence]
        self.position = np.cumsum(self.width) - self.width
        self.place = np.full(len(self.pieces.row), -1)
        self.place[evidence] = place
        stretch = self.stretch[evidence]
        self.first, self.last = _extremes(stretch, place, len(self.start))
        low, high = _extremes(place, stretch, len(self.offset))
        self.conflicting = np.flatnonzero(low != high)
        self.holder = np.where(self.read[high], high, low)  # one record stands for a place, one that was read if any
        self.repeated = np.flatnonzero(self.first != self.last)

    def _known_position(self) -> np.ndarray:
        """Where each piece begins among the known records of the key: by its offset, else by its value if that lies in
        one place.

        -1 if neither is known, or if another record stands for the place.
        """
        by_value = np.where(self.first == self.last, self.first, -1)[self.stretch]
        place = np.where(self.place >= 0, self.place, np.where(self.pieces.offset < 0, by_value, -1))
        known = np.flatnonzero(place >= 0)
        known = known[self.holder[place[known]] == self.stretch[known]]
        position = np.full(len(place), -1)
        position[known] = self.position[place[known]]
        return position

    def sent_at(self) -> np.ndarray:
        """When each stretch was last sent, in seconds: appended then or later; inf if nobody is known to have."""
        times = np.full(len(self.start), -np.inf)
        np.maximum.at(times, self.stretch[self.of_send], self.sends["invoked"][self.send_row])
        return np.where(np.isneginf(times), np.inf, times)

    def lost(self) -> np.ndarray:
        """Stretches that were certainly written and that no reader saw, although a reader got past them."""
        seen = self.first[self.read]
        return np.flatnonzero(self.committed & ~self.read & (self.last >= 0) & (self.last <= seen.max(initial=-1)))

    def undisputed(self) -> int:
        """The position up to which the log was never rewritten, as far as anybody saw."""
        return int(self.position[self.conflicting[0]]) if len(self.conflicting) else int(self.width.sum())

    def writer(self, stretch: int) -> np.void:
        """The row of the send that wrote a stretch, an acknowledged one if there is one."""
        rows = self.sends[self.send_row[self.stretch[self.of_send] == stretch]]
        return rows[np.argmin(rows["type"])]

    def reader(self, stretch: int) -> np.void:
        """The row of the first poll that returned a stretch, a successful one if there is one."""
        rows = self.polls[self.poll_row[self.stretch[self.of_poll] == stretch]]
        return rows[np.lexsort((rows["op"], rows["type"]))[0]]

    def witness(self, stretch: int) -> np.void:
        """The row of a send of a stretch, or of a poll if nobody is known to have sent it."""
        return self.writer(stretch) if np.any(self.stretch[self.of_send] == stretch) else self.reader(stretch)

    def values(self, stretches: np.ndarray) -> tuple[tuple[int, int], ...]:
        """The values of these stretches (ascending) as inclusive ranges."""
        return ranges(self.start[stretches], self.size[stretches])

    def offsets(self, places: np.ndarray) -> tuple[tuple[int, int], ...]:
        """The offsets of these places (ascending) as inclusive ranges."""
        return ranges(self.offset[places], self.width[places])

    def between(self, low: int, high: int) -> np.ndarray:
        """The places whose positions are at least `low` and below `high`, both borders of places."""
        return np.arange(*np.searchsorted(self.position, (low, high)))


def _extremes(item: np.ndarray, of: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """For each item the smallest and the largest `of` that occurs with it; -1 if none does."""
    low = np.full(size, -1)
    low[item] = of
    odd = low[item] != of  # almost always nothing: the slow path is for items that occur with several
    high = low.copy()
    np.minimum.at(low, item[odd], of[odd])
    np.maximum.at(high, item[odd], of[odd])
    return low, high
