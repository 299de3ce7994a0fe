"""The schedules of `exercises/attack/visibility.py` on a real PostgreSQL.

Two sessions write, one relay a cursor reads, and one decodes. Each relay asks in the SQL that its public descriptions
use. The sequence is unlogged, because an ordinary one writes to the log with every 32nd number and thereby gives its
transaction an xid (backend/commands/sequence.c, `nextval`); and the lock is an advisory one, because a row lock is a
write and would do so too. With both, S, X and L are apart.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from exercises.attack.visibility import LOOK, Outcome, Row, run, schedules
from labs.pgoutput import Insert, decoded

TABLE = """
DROP TABLE IF EXISTS seen;
DROP SEQUENCE IF EXISTS seen_position;
CREATE UNLOGGED SEQUENCE seen_position;
CREATE TABLE seen (schedule int, position bigint, xid xid8, writer text, version int, published bool DEFAULT false,
                   PRIMARY KEY (schedule, position));
"""
COLUMNS = "SELECT position, xid::text::bigint, writer, version FROM seen WHERE schedule = %(schedule)s"
XMIN = "xid < pg_snapshot_xmin(pg_current_snapshot())"
QUERIES = {
    "position": f"{COLUMNS} AND position > %(position)s ORDER BY position",
    "position, xmin": f"{COLUMNS} AND position > %(position)s AND {XMIN} ORDER BY position",
    "(xid, position), xmin": f"{COLUMNS} AND (xid, position) > (%(xid)s::text::xid8, %(position)s) AND {XMIN}"
                             " ORDER BY xid, position",
    "stop at a gap": f"{COLUMNS} AND position > %(position)s ORDER BY position",
    "flag": f"{COLUMNS} AND NOT published ORDER BY position FOR UPDATE SKIP LOCKED",
}
MARK = "UPDATE seen SET published = true WHERE schedule = %s AND position = ANY(%s)"
DO = {"S": "SELECT nextval('seen_position')", "X": "SELECT pg_current_xact_id()",
      "L": "SELECT pg_advisory_xact_lock(1)"}
DRAWN = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM seen_position"
SLOT = "seen"


class Relay:
    """One cursor on one connection."""

    def __init__(self, db, name: str, schedule: int, position: int):
        self.db, self.name, self.schedule = db, name, schedule
        self.memory = {"schedule": schedule, "position": position, "xid": 0}
        self.published: list[Row] = []

    def look(self) -> None:
        """One round: ask, publish, remember."""
        if self.name == "flag":
            with self.db.transaction():
                rows = self._ask()
                self.db.execute(MARK, [self.schedule, [row.position for row in rows]])
        else:
            rows = self._ask()
        if self.name == "stop at a gap":
            rows = [row for n, row in enumerate(rows, start=self.memory["position"] + 1) if row.position == n]
        if rows:
            last = rows[-1]
            self.memory.update(position=last.position, xid=last.xid)
        self.published += rows

    def _ask(self) -> list[Row]:
        return [Row(*row) for row in self.db.execute(QUERIES[self.name], self.memory)]


class Stage:
    """Two writers, the relays, and a slot: `perform` plays one schedule, `decoded` is what the slot says of all."""

    def __init__(self, database):
        self.relay, self.writers = database.connect(), {name: database.connect() for name in "AB"}
        self.performed = 0
        self.relay.execute(TABLE)
        self.relay.execute("DROP PUBLICATION IF EXISTS seen")
        self.relay.execute("CREATE PUBLICATION seen FOR TABLE seen WITH (publish = 'insert')")
        self.relay.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [SLOT])

    def perform(self, schedule: Iterable[tuple[str, str]]) -> dict[str, Outcome]:
        """What each cursor makes of one schedule."""
        self.performed += 1
        self.positions, self.commits = {}, 0
        (base,) = self.relay.execute(DRAWN).fetchone()
        relays = [Relay(self.relay, name, self.performed, base) for name in QUERIES]
        for writer in self.writers.values():
            writer.execute("BEGIN")
        for who, action in schedule:
            if (who, action) == LOOK:
                for relay in relays:
                    relay.look()
            else:
                self._write(who, action)
        committed = self.relay.execute(COLUMNS + " ORDER BY version", {"schedule": self.performed}).fetchall()
        return {relay.name: Outcome([Row(*row) for row in committed], relay.published) for relay in relays}

    def compared(self, a: str = "SXC", b: str = "SXC", judge: str = "loses") -> pd.DataFrame:
        """Every schedule of two writers: how often each cursor `loses` or `inverts`, in the model and here."""
        counts = {name: {"model": 0, "PostgreSQL": 0, "same rows published": 0} for name in QUERIES}
        for schedule in schedules(a, b):
            for name, live in self.perform(schedule).items():
                model = run(schedule, name)
                counts[name]["model"] += getattr(model, judge)
                counts[name]["PostgreSQL"] += getattr(live, judge)
                counts[name]["same rows published"] += _writers(model) == _writers(live)
        return pd.DataFrame(counts).T

    def _write(self, who: str, action: str) -> None:
        writer = self.writers[who]
        if action in DO:
            (value,) = writer.execute(DO[action]).fetchone()
            if action == "S":
                self.positions[who] = value
            return
        self.commits += action == "C"
        writer.execute("INSERT INTO seen VALUES (%s, %s, pg_current_xact_id(), %s, %s)",
                       [self.performed, self.positions[who], who, self.commits])
        writer.execute("COMMIT" if action == "C" else "ROLLBACK")

    def decoded(self) -> dict[int, list[int]]:
        """For each schedule the versions in the order in which logical decoding delivers them."""
        found: dict[int, list[int]] = {}
        for change in decoded(self.relay, SLOT, "seen", keep=False):
            if isinstance(change.message, Insert):
                row = change.message.row
                found.setdefault(int(row["schedule"]), []).append(int(row["version"]))
        return found

    def close(self) -> None:
        """Removes the slot, which would keep the log for ever, and closes the sessions."""
        self.relay.execute("SELECT pg_drop_replication_slot(%s)", [SLOT])
        for connection in (self.relay, *self.writers.values()):
            connection.close()

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *exception) -> None:
        self.close()


def _writers(outcome: Outcome) -> list[str]:
    """Whose rows were published, in that order; xids differ between a model and a server."""
    return [row.writer for row in outcome.published]
