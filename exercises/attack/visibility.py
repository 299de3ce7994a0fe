"""Which outbox rows a relay of PostgreSQL can see, when, and which relays thereby lose some: every case, counted.

A writer is a transaction of a few actions, and their order matters:

    S   draws its position from the sequence: at once, for good, and seen by nobody
    X   gets its transaction id (xid): with its first write, wherever that is
    L   locks its aggregate until it ends; another writer's L has to wait for that
    C   commits: its row is visible to whoever looks from now on
    R   rolls back: its position is never used

A relay looks (P) twice anywhere between these and twice more when all is quiet. A look is atomic and sees what one
snapshot sees: the committed rows, and `xmin`, the smallest xid of a transaction still in progress, else the next one
(PostgreSQL documentation, "Transaction ID and Snapshot Information Functions"). What a relay remembers between looks
is its cursor, and `CURSORS` are those in use. Two writers of three actions have 20 orders, and two looks 28 places
among them: 560 schedules, enough to run them all.

Left out: more than two writers, subtransactions, replicas, the end of the 32-bit xid. `labs/cursors.py` performs the
same schedules on a real PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

LOOK = ("relay", "P")
WRITERS = ("A", "B")


class Row(NamedTuple):
    """A committed row of the outbox. `version` counts the commits: the order in which the aggregate changed."""
    position: int
    xid: int
    writer: str
    version: int


class Snapshot(NamedTuple):
    """What one look can see."""
    rows: tuple[Row, ...]
    xmin: int


@dataclass
class Database:
    """The sequence, the xids, and who is still in progress."""

    positions: dict[str, int] = field(default_factory=dict)
    xids: dict[str, int] = field(default_factory=dict)
    active: set[str] = field(default_factory=set)
    rows: list[Row] = field(default_factory=list)
    locked_by: str | None = None

    def do(self, writer: str, action: str) -> None:
        """One action of one writer."""
        if action == "S":
            self.positions[writer] = len(self.positions) + 1
        elif action == "X":
            self.xids[writer] = len(self.xids) + 1
            self.active.add(writer)
        elif action == "L":
            self.locked_by = writer
        else:
            self._end(writer, action)

    def _end(self, writer: str, action: str) -> None:
        self.active.discard(writer)
        self.locked_by = None if self.locked_by == writer else self.locked_by
        if action == "C":
            self.rows.append(Row(self.positions[writer], self.xids[writer], writer, len(self.rows) + 1))

    def look(self) -> Snapshot:
        """What anybody sees who looks now, by position."""
        xmin = min((self.xids[writer] for writer in self.active), default=len(self.xids) + 1)
        return Snapshot(tuple(sorted(self.rows)), xmin)


# The cursors: a look and a memory in, the rows to publish out.

def by_position(look: Snapshot, memory: dict) -> list[Row]:
    """WHERE position > last ORDER BY position"""
    new = [row for row in look.rows if row.position > memory.get("position", 0)]
    memory["position"] = max([memory.get("position", 0), *(row.position for row in new)])
    return new


def below_xmin(look: Snapshot, memory: dict) -> list[Row]:
    """WHERE position > last AND xid < xmin ORDER BY position"""
    return by_position(Snapshot(tuple(row for row in look.rows if row.xid < look.xmin), look.xmin), memory)


def by_xid(look: Snapshot, memory: dict) -> list[Row]:
    """WHERE (xid, position) > (last xid, last position) AND xid < xmin ORDER BY xid, position"""
    last = memory.get("last", (0, 0))
    settled = sorted((row for row in look.rows if row.xid < look.xmin), key=lambda row: (row.xid, row.position))
    new = [row for row in settled if (row.xid, row.position) > last]
    memory["last"] = max([last, *((row.xid, row.position) for row in new)])
    return new


def up_to_gap(look: Snapshot, memory: dict) -> list[Row]:
    """position = last + 1, and so on until a number is missing"""
    new = []
    for row in look.rows:
        if row.position == memory.get("position", 0) + 1:
            memory["position"] = row.position
            new.append(row)
    return new


def by_flag(look: Snapshot, memory: dict) -> list[Row]:
    """WHERE NOT published ORDER BY position FOR UPDATE SKIP LOCKED, then UPDATE"""
    published = memory.setdefault("published", set())
    new = [row for row in look.rows if row not in published]
    published.update(new)
    return new


CURSORS: dict[str, Callable[[Snapshot, dict], list[Row]]] = {
    "position": by_position, "position, xmin": below_xmin, "(xid, position), xmin": by_xid, "stop at a gap": up_to_gap,
    "flag": by_flag}


# Every schedule of two writers

def schedules(a: str = "SXC", b: str = "SXC", looks: int = 2) -> Iterator[list[tuple[str, str]]]:
    """Every order of the writers' actions with so many looks among them, two more at the end; locks are kept."""
    for actions in filter(possible, merged(list(zip("A" * len(a), a)), list(zip("B" * len(b), b)))):
        for schedule in merged(actions, [LOOK] * looks):
            yield [*schedule, LOOK, LOOK]


def merged(one: list, other: list) -> Iterator[list]:
    """All ways to merge two sequences that keep the order within each."""
    total = len(one) + len(other)
    for places in combinations(range(total), len(other)):
        first, second = iter(one), iter(other)
        yield [next(second) if n in places else next(first) for n in range(total)]


def possible(actions: Iterable[tuple[str, str]]) -> bool:
    """Whether nobody takes a lock that the other still holds."""
    database = Database()
    for writer, action in actions:
        if action == "L" and database.locked_by:
            return False
        database.do(writer, action)
    return True


class Outcome(NamedTuple):
    """What came of one schedule: the rows that were committed, and what the relay published, in its order."""
    committed: list[Row]
    published: list[Row]

    @property
    def loses(self) -> bool:
        """A committed row was never published, although the relay has passed it or waits for ever."""
        return set(self.committed) != set(self.published)

    @property
    def inverts(self) -> bool:
        """An earlier change was published after a later one."""
        versions = [row.version for row in self.published]
        return versions != sorted(versions)


def run(schedule: Iterable[tuple[str, str]], cursor: str) -> Outcome:
    """One schedule, seen by a relay with this cursor."""
    database, memory, published = Database(), {}, []
    for who, action in schedule:
        if (who, action) == LOOK:
            published += CURSORS[cursor](database.look(), memory)
        else:
            database.do(who, action)
    return Outcome(database.rows, published)


def census(a: str = "SXC", b: str = "SXC", judge: str = "loses") -> dict[str, int]:
    """For each cursor: the number of schedules in which it `loses` or `inverts` something."""
    every = list(schedules(a, b))
    return {name: sum(getattr(run(schedule, name), judge) for schedule in every) for name in CURSORS}


def story(schedule: Iterable[tuple[str, str]], cursor: str) -> str:
    """A schedule line by line: who does what, what the relay sees and what it publishes."""
    database, memory, lines = Database(), {}, []
    for who, action in schedule:
        if (who, action) == LOOK:
            look = database.look()
            new = CURSORS[cursor](look, memory)
            seen = ", ".join(str(row.position) for row in look.rows) or "none"
            told = f"publishes {', '.join(str(row.position) for row in new)}" if new else "publishes nothing"
            lines.append(f"relay looks: positions visible {seen}, xmin {look.xmin}; {told}")
        else:
            database.do(who, action)
            lines.append(f"{who} {_words(database, who, action)}")
    return "\n".join(lines)


def _words(database: Database, writer: str, action: str) -> str:
    return {"S": f"draws position {database.positions.get(writer)}", "X": f"gets xid {database.xids.get(writer)}",
            "L": "locks the aggregate", "C": "commits", "R": "rolls back"}[action]
