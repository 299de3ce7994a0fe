"""Batches cut until they fit each other, so that a check may treat a batch as if it were one record.

A row of a history stands for consecutive values at consecutive offsets. Rows of one key overlap in every way: a poll
returns half of a batch and the whole of the next, a retried batch lies in the log twice. Cutting all rows wherever one
of them begins or ends, in values and in offsets, leaves *pieces*, of which any two have the same values or none in
common, and the same offsets or none. What is true of one record of a piece is then true of all of them, so every check
works on pieces and weighs them by their size: a run of ten million records is judged in the time its batches take.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

ROUNDS = 8  # cuts in values cause cuts in offsets and the other way round; honest logs are done after one round
DENSE = 64  # numbers are dense if at most this many integers lie between neighbours, on average
HUGE = 1 << 60  # beyond any value or offset that a client could mean
MOST_RECORDS = 50_000_000  # a key so entangled that it has to be taken record by record may have this many


class Entangled(ValueError):
    """The rows of a key overlap so irregularly that they cannot be judged in reasonable memory."""


class Pieces(NamedTuple):
    """Columns, one entry a piece: the row it was cut from, its first value, its size, its first offset (-1 unknown)."""
    row: np.ndarray
    value: np.ndarray
    count: np.ndarray
    offset: np.ndarray


def cut(value: np.ndarray, count: np.ndarray, offset: np.ndarray) -> Pieces:
    """The pieces of these rows, in the order of the rows and within a row in the order of its records."""
    pieces = Pieces(np.arange(len(value)), value, count.astype(np.int64), np.maximum(offset, -1))
    for _ in range(ROUNDS):
        before = len(pieces.row)
        pieces = _cut_where(pieces, pieces.value, np.ones(before, bool))
        pieces = _cut_where(pieces, pieces.offset, pieces.offset >= 0)
        if len(pieces.row) == before:
            return pieces
    return _records(pieces)


def _cut_where(pieces: Pieces, begin: np.ndarray, known: np.ndarray) -> Pieces:
    """The pieces cut wherever another begins or ends; `begin` is what is compared, values or offsets."""
    if not len(begin) or pieces.count.max() == 1:
        return pieces
    end = begin + pieces.count
    cuts = distinct(np.concatenate((begin[known], end[known])))
    low = np.searchsorted(cuts, begin, "right")
    inside = np.where(known, np.searchsorted(cuts, end, "left") - low, 0)
    if not inside.any():
        return pieces
    parent = np.repeat(np.arange(len(begin)), inside + 1)
    nth = _count_up(inside + 1)
    starts = np.where(nth == 0, 0, cuts[np.maximum(low[parent] + nth - 1, 0)] - begin[parent])
    return _slices(pieces, parent, starts)


def _slices(pieces: Pieces, parent: np.ndarray, starts: np.ndarray) -> Pieces:
    """Slices of pieces: slice i begins `starts[i]` records into piece `parent[i]` and ends where the next begins."""
    last = np.append(parent[1:] != parent[:-1], True)
    ends = np.where(last, pieces.count[parent], np.append(starts[1:], 0))
    offset = np.where(pieces.offset[parent] < 0, -1, pieces.offset[parent] + starts)
    return Pieces(pieces.row[parent], pieces.value[parent] + starts, ends - starts, offset)


def _records(pieces: Pieces) -> Pieces:
    """One piece a record: the finest cut there is."""
    if pieces.count.sum() > MOST_RECORDS:
        raise Entangled(f"its batches overlap irregularly and hold more than {MOST_RECORDS:,} records")
    return _slices(pieces, np.repeat(np.arange(len(pieces.row)), pieces.count), _count_up(pieces.count))


def _count_up(counts: np.ndarray) -> np.ndarray:
    """0, 1, ... up to each count in turn."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)


def distinct(numbers: np.ndarray) -> np.ndarray:
    """The distinct numbers in ascending order."""
    low, span = _span(numbers)
    if span > DENSE * len(numbers):
        numbers = np.sort(numbers)
        return numbers[np.append(True, numbers[1:] != numbers[:-1])[:len(numbers)]]
    present = np.zeros(span, bool)  # dense numbers are addressed directly, which needs no sorting
    present[numbers - low] = True
    return np.flatnonzero(present) + low


def ranks(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct numbers in ascending order, and for each number its place among them."""
    found, (low, span) = distinct(numbers), _span(numbers)
    if span > DENSE * len(numbers):
        return found, np.searchsorted(found, numbers)
    place = np.zeros(span, np.int64)
    place[found - low] = np.arange(len(found))
    return found, place[numbers - low]


def _span(numbers: np.ndarray) -> tuple[int, int]:
    """The smallest number and how many there are from it to the largest."""
    return (int(numbers.min()), int(numbers.max()) - int(numbers.min()) + 1) if len(numbers) else (0, 0)


def ranges(starts: np.ndarray, sizes: np.ndarray) -> tuple[tuple[int, int], ...]:
    """Disjoint stretches in ascending order as inclusive ranges, neighbours joined."""
    if not len(starts):
        return ()
    ends = starts + sizes
    first = np.append(True, starts[1:] != ends[:-1])
    return tuple(zip(starts[first].tolist(), (ends[np.append(first[1:], True)] - 1).tolist()))
