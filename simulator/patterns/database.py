"""A database as its clients see it: rows get a number when they are inserted, and are seen when they are committed.

Modelled: numbers from a sequence, given out before the commit and never given back; transactions that take time, roll
back with some probability, and roll back when their client's connection is gone; a row beside each order (the outbox).

Left out: locks, conflicts between transactions, crashes (what is committed stays), the load that queries cause.
"""

from __future__ import annotations

from bisect import insort

from ..evidence.history import FAIL
from ..kernel.distributions import as_distribution
from .parts import HEADERS

STORING = {
    "insert": ("send", "{node} asks {peer} to store order {value}"),
    "inserted": ("local", "{node} gives the row of order {value} number {offset}; nobody sees it yet"),
    "commit": ("local", "{node} commits order {value}, row {offset}"),
    "rollback": ("state", "{node} rolls order {value} back"),
    "committed": ("send", "{node} tells {peer} that order {value} is committed"),
}


class Database:
    """Orders and the rows beside them, on a node of its own."""

    def __init__(self, system, transaction, rollback: float):
        self.system, self.world = system, system.world
        self.node = self.world.node("database", "database")
        self.node.on_disconnect = self._disconnected
        self._takes = self.world.sampler("database/transaction", as_distribution("transaction", transaction))
        self._luck, self.rollback = self.world.stream("database/rollback"), rollback
        self.next_row = 0
        self.open: dict[int, tuple] = {}  # row number: (order, client), inserted and not committed
        self.rows: list[tuple[int, int]] = []  # (row number, order), committed and not done with, by number
        self.on_commit, self.on_rollback = _nothing, _nothing

    def on_insert(self, message, event: int) -> None:
        """An order begins: its row has a number from now on."""
        value, client, committed = message
        row, self.next_row = self.next_row, self.next_row + 1
        self.open[row] = (value, client)
        inserted = self.system.note(self.node, "inserted", event, value, offset=row)
        fails = self.rollback > 0 and self._luck.uniforms(1)[0] < self.rollback
        self.node.after(self._takes(), self._roll_back if fails else self._commit, row, inserted, committed)

    def _commit(self, row: int, cause: int, committed) -> None:
        if row in self.open:
            value, client = self.open.pop(row)
            event = self.system.note(self.node, "commit", cause, value, offset=row)
            self.system.stored(value)
            insort(self.rows, (row, value))
            self.on_commit(row, value, event)
            self.system.send(self.node, client, "committed", committed, value, event, value, size=HEADERS)

    def _roll_back(self, row: int, cause: int, committed=None) -> None:
        if row in self.open:
            value, _ = self.open.pop(row)
            self.system.note(self.node, "rollback", cause, value, offset=row)
            self.system.stored(value, FAIL, error="rolled back")
            self.on_rollback(value)

    def _disconnected(self, client) -> None:
        """Whoever lost its connection loses its open transactions."""
        for row in [row for row, (_, owner) in self.open.items() if owner is client]:
            self._roll_back(row, client.fault)


def _nothing(*_) -> None:
    """The hook of a pattern that does not care."""
