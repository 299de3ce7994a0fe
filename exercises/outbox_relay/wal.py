"""The log of commits as logical decoding delivers it: transaction by transaction, in the order of their commits.

An lsn is a place in the log. The changes of a transaction were written before its commit and between those of others,
so their lsns do not ascend from one transaction to the next; those of the commits do. A slot keeps everything behind
the confirmed lsn; whoever connects gets each transaction again whose commit is not confirmed (PostgreSQL documentation
18, chapter 47.2.2).
"""
from collections.abc import Iterator
from typing import NamedTuple

from .table import Row


class Change(NamedTuple):
    """`snapshot` and `insert` carry a new row, `update` and `delete` one that was there, `commit` none."""
    kind: str
    lsn: int
    row: Row | None = None


class Slot:
    """The log's end, and what of it is confirmed."""

    def __init__(self, transactions: tuple[tuple[Change, ...], ...]):
        self.transactions, self.confirmed, self.there = transactions, 0, 0

    @property
    def written(self) -> tuple[tuple[Change, ...], ...]:
        """The transactions committed so far; the last change of each is its commit."""
        return self.transactions[:self.there]

    def open(self) -> list[tuple[Change, ...]]:
        """The transactions that are not confirmed."""
        return [changes for changes in self.written if changes[-1].lsn > self.confirmed]


class Stream:
    """A process's connection to the slot."""

    def __init__(self, slot: Slot, process):
        self.slot, self.process = slot, process

    @property
    def end(self) -> int:
        """The lsn of the last commit that the server has, sent or not."""
        return self.slot.written[-1][-1].lsn if self.slot.written else 0

    def __iter__(self) -> Iterator[Change]:
        """Every change of the unconfirmed transactions, each transaction with its commit last."""
        for changes in self.slot.open():
            for change in changes:
                self.process.breathe()
                yield change

    def confirm(self, lsn: int) -> None:
        """Tell the server that everything up to this lsn is done and need not be sent again."""
        step = self.process.step(f"move the slot to {lsn}")
        self.slot.confirmed = max(self.slot.confirmed, lsn)
        step["settles"] = [change.row.id for changes in self.slot.written if changes[-1].lsn <= self.slot.confirmed
                           for change in changes if change.kind in ("snapshot", "insert")]
