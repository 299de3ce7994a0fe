"""From one read (or write) of a process to its next: how far it moved in the log.

A process that reads a key in order moves on by exactly one position from a record to the next. More is a skip; less is
a step back, or on the spot. Steps inside one operation are *internal*, steps from one operation to the next are
*external*.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .history import MARKS

OPS = 1 << 44  # more operations than any history has: process * OPS + op orders operations by process


class Steps(NamedTuple):
    """Steps that were not by one: the pieces before and after, by how much, and whether they are in one operation."""
    before: np.ndarray
    after: np.ndarray
    gap: np.ndarray
    internal: np.ndarray

    def without(self, excused: list[int]) -> Steps:
        """The steps but these."""
        return Steps(*(np.delete(column, excused) for column in self))


def steps(moment: np.ndarray, advances: np.ndarray, first: np.ndarray, size: np.ndarray, drops: np.ndarray,
          exempt: np.ndarray) -> Steps:
    """The odd steps among pieces in the order of their `moment` (process * OPS + op).

    `first` is a piece's position (-1 unknown: no step to or from it is judged), `advances` whether its operation moves
    the process on.
    `drops` are the moments at which a process gave the key up, `exempt` those of operations whose internal steps are
    excused.
    """
    head = np.append(True, moment[1:] != moment[:-1]) if len(moment) else np.zeros(0, bool)
    inner = np.flatnonzero(~head)
    inner = inner[~np.isin(moment[inner], exempt)] if len(exempt) else inner
    before, after = _external(moment, advances, np.flatnonzero(head), drops)
    befores, afters = np.concatenate((inner - 1, before)), np.concatenate((inner, after))
    gap = first[afters] - (first[befores] + size[befores] - 1)
    odd = np.flatnonzero((gap != 1) & (first[afters] >= 0) & (first[befores] >= 0))
    return Steps(befores[odd], afters[odd], gap[odd], odd < len(inner))


def _external(moment, advances, heads, drops) -> tuple[np.ndarray, np.ndarray]:
    """For each operation its first piece, and before it the last piece of the latest operation that advanced."""
    if not len(heads):
        return heads, heads
    tails = np.append(heads[1:], len(moment)) - 1
    latest = np.maximum.accumulate(np.where(advances[heads], np.arange(len(heads)), -1))
    reference, after = latest[:-1], np.arange(1, len(heads))
    known = (reference >= 0) & (moment[heads[reference]] // OPS == moment[heads[after]] // OPS)
    reference, after = reference[known], after[known]
    kept = np.searchsorted(drops, moment[heads[reference]]) == np.searchsorted(drops, moment[heads[after]])
    return tails[reference[kept]], heads[after[kept]]


def moments(rows: np.ndarray) -> np.ndarray:
    """When each row happened for its process."""
    return rows["process"].astype(np.int64) * OPS + rows["op"]


class Marks:
    """The moments at which processes changed what they read."""

    def __init__(self, rows: np.ndarray):
        self.rows, self.moment = rows, moments(rows)
        self.assigns = np.isin(rows["mark"], [MARKS.index("assign"), MARKS.index("subscribe")])
        self.crashes = self.moment[rows["mark"] == MARKS.index("crash")]

    def drops(self, key: int) -> np.ndarray:
        """When a process forgot its position in a key: it crashed, or was assigned other keys and not this one."""
        if not len(self.rows):
            return self.moment
        naming = self.moment[self.assigns & (self.rows["key"] == key)]
        return np.sort(np.concatenate((np.setdiff1d(self.moment[self.assigns], naming), self.crashes)))

    def rebalances(self, key: int) -> np.ndarray:
        """The operations during which a key moved."""
        return self.moment[(self.rows["mark"] == MARKS.index("rebalance")) & (self.rows["key"] == key)]
