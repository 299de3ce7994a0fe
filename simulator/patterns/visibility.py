"""What a relay may see of an outbox while transactions are under way: every schedule of two writers and two polls.

After PostgreSQL's rules: a row's number comes from a sequence when it is inserted (S), a transaction's number (xid)
when it first writes (X), and others see the row once it is committed (C). `xmin` is the smallest xid that is still
open, or the next one. A poll is atomic. After the last step the relay polls twice more: what is missing then is lost.
"""

from __future__ import annotations

from collections.abc import Iterator

FIRST_NUMBER = 1


class Table:
    """The outbox table and the transactions on it, step by step."""

    def __init__(self):
        self.numbers: dict[str, int] = {}
        self.xids: dict[str, int] = {}
        self.committed: list[str] = []
        self.open: list[str] = []

    def step(self, writer: str, what: str) -> None:
        """One step of a writer: S, X, C or R (rolls back)."""
        if what == "S":
            self.numbers[writer] = FIRST_NUMBER + len(self.numbers)
        elif what == "X":
            self.xids[writer] = len(self.xids)
            self.open.append(writer)
        else:
            self.open.remove(writer)
            self.committed += [writer] if what == "C" else []

    def visible(self) -> list[tuple[int, int, str]]:
        """Committed rows as (number, xid, writer), by number."""
        return sorted((self.numbers[writer], self.xids[writer], writer) for writer in self.committed)

    @property
    def xmin(self) -> int:
        """The smallest open xid, or the next one."""
        return min((self.xids[writer] for writer in self.open), default=len(self.xids))


class Relay:
    """A relay with one kind of cursor; `poll` returns the writers whose rows it finds."""

    def __init__(self, cursor: str):
        self.cursor, self.place, self.seen = cursor, (-1, 0), []

    def poll(self, table: Table) -> None:
        """Reads what the cursor lets it see, and moves the cursor."""
        for number, xid, writer in table.visible():
            safe = self.cursor in ("position", "gap", "flag") or xid < table.xmin
            if safe and self._beyond(number, xid, writer):
                self.seen.append(writer)
        self.place = max([self.place] + [self._key(*row) for row in table.visible() if row[2] in self.seen])

    def _key(self, number: int, xid: int, writer: str) -> tuple[int, int]:
        return (xid, number) if self.cursor == "xid and position" else (0, number)

    def _beyond(self, number: int, xid: int, writer: str) -> bool:
        if writer in self.seen:
            return False
        if self.cursor == "flag":
            return True
        if self.cursor == "gap":  # only the next number, and what follows it without a gap
            return number == FIRST_NUMBER + len(self.seen)
        return self._key(number, xid, writer) > self.place


CURSORS = ("position", "xmin and position", "xid and position", "gap", "flag")
NAMES = {"position": "row number", "xmin and position": "row number, only below xmin",
         "xid and position": "(xid, row number), only below xmin",
         "gap": "row number, stops at a gap", "flag": "a flag in each row"}


def schedules(steps: tuple[str, str]) -> Iterator[list[tuple[str, str]]]:
    """Every way in which A's steps, B's steps and two polls can follow one another."""
    def mixed(left: tuple[tuple, ...], done: list) -> Iterator[list]:
        if not any(left):
            yield done
        for who, rest in enumerate(left):
            if rest:
                yield from mixed((*left[:who], rest[1:], *left[who + 1:]), [*done, rest[0]])
    a, b = (tuple((writer, step) for step in order) for writer, order in zip("AB", steps))
    return mixed((a, b, (("relay", "poll"),) * 2), [])


def lost(schedule: list[tuple[str, str]], cursor: str) -> list[str]:
    """The writers whose committed rows the relay never sees."""
    table, relay = Table(), Relay(cursor)
    for who, step in [*schedule, ("relay", "poll"), ("relay", "poll")]:
        if who == "relay":
            relay.poll(table)
        else:
            table.step(who, step)
    return [writer for writer in table.committed if writer not in relay.seen]


def losing(cursor: str, a: str = "SXC", b: str = "SXC") -> tuple[int, int]:
    """In how many schedules a committed row is never published, and how many there are."""
    found = [bool(lost(schedule, cursor)) for schedule in schedules((a, b))]
    return sum(found), len(found)
