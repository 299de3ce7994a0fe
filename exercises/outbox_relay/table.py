"""The outbox as PostgreSQL shows it: to one look of a reader, to a relay with claims, and to a statement that deletes.

What a look can see comes from `attack/visibility.py`, whose schedules the lab outbox-cdc performs on a real PostgreSQL.
A claim is what `UPDATE ... FOR UPDATE SKIP LOCKED` on a row of a table of claims gives: it never waits, and of two who
ask for the same key at the same time one gets it. Time is virtual.
"""
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from exercises.attack import visibility


class Row(NamedTuple):
    """A row of the outbox. `version` counts the events of its aggregate; `position` and `xid` need not follow it."""
    position: int
    xid: int
    aggregate: str
    version: int

    @property
    def id(self) -> str:
        """The event's own name, the same wherever it appears."""
        return f"{self.aggregate}-{self.version}"


class Look(NamedTuple):
    """What one look can see: the committed rows by position, and the smallest xid of a transaction in progress."""
    rows: tuple[Row, ...]
    xmin: int


class Database(visibility.Database):
    """The model of visibility, with an aggregate for each transaction and numbers that do not begin at 1."""

    def __init__(self, aggregates: dict[str, str], first: tuple[int, int]):
        super().__init__()
        self.aggregates, self.first = aggregates, first

    def _end(self, writer: str, action: str) -> None:
        self.active.discard(writer)
        if action == "C" and writer in self.positions:
            aggregate = self.aggregates[writer]
            version = 1 + sum(row.aggregate == aggregate for row in self.rows)
            position, xid = self.positions[writer] - 1 + self.first[0], self.xids[writer] - 1 + self.first[1]
            self.rows.append(Row(position, xid, aggregate, version))

    def look(self) -> Look:
        """What anybody sees who looks now."""
        seen = super().look()
        return Look(seen.rows, seen.xmin - 1 + self.first[1])


class Entry(NamedTuple):
    """A row as the cleanup finds it: `published` is the time at which it was marked, None before."""
    position: int
    aggregate: str
    version: int
    published: float | None


@dataclass
class Claim:
    """Who has a key, until when, and how often it has been claimed."""
    token: int = 0
    until: float = 0.0


class Table:
    """The outbox with a column `published`, the claims, and the time."""

    def __init__(self):
        self.now, self.rows, self.published, self.claims = 0.0, [], {}, {}

    def waiting(self) -> list[Row]:
        """The rows not yet marked, by position."""
        return sorted(row for row in self.rows if row.position not in self.published)

    def entries(self) -> list[Entry]:
        """All rows, by position."""
        return [Entry(row.position, row.aggregate, row.version, self.published.get(row.position))
                for row in sorted(self.rows)]


class Session:
    """A process's connection to the table."""

    def __init__(self, table: Table, process):
        self.table, self.process = table, process

    def now(self) -> float:
        """The database's clock, in seconds."""
        return self.table.now

    def waiting(self) -> list[Row]:
        """The rows that are committed now and not marked as published, by position."""
        self.process.breathe()
        return self.table.waiting()

    def claim(self, key: str, seconds: float) -> int | None:
        """Claim a key for so long: its new token, or None if another claim on it has not ended yet."""
        step = self.process.step(f"claim {key}")
        claim = self.table.claims.setdefault(str(key), Claim())
        if claim.until > self.table.now:
            step["what"] += ": taken"
            return None
        claim.token, claim.until = claim.token + 1, self.table.now + seconds
        step["what"] += f" until {claim.until:g} s, token {claim.token}"
        return claim.token

    def release(self, key: str, token: int) -> None:
        """End a claim early, unless it has ended and somebody else has the key."""
        self.process.step(f"release {key}")
        claim = self.table.claims.setdefault(str(key), Claim())
        if claim.token == token:
            claim.until = 0.0

    def mark(self, rows: list[Row]) -> None:
        """Mark rows as published."""
        ids = [row.id for row in rows]
        self.process.step(f"mark {' '.join(ids)}")["settles"] = ids
        for row in rows:
            self.table.published.setdefault(row.position, self.table.now)

    def rows(self) -> list[Entry]:
        """All rows that are committed now, by position."""
        self.process.breathe()
        return self.table.entries()

    def delete(self, where: Callable[[Entry], bool]) -> int:
        """DELETE ... WHERE: every row that is there when the statement begins and for which `where` holds."""
        step = self.process.step("delete")
        gone = [entry for entry in self.table.entries() if where(entry)]
        step["deleted"] = [[f"{entry.aggregate}-{entry.version}", self.table.now, entry.published] for entry in gone]
        positions = {entry.position for entry in gone}
        step["what"] += f" positions {sorted(positions)}"
        self.table.rows = [row for row in self.table.rows if row.position not in positions]
        return len(gone)
