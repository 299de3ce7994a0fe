"""The store of the exercise `event_sourcing` on PostgreSQL: what changes when many may write at a time.

SQLite's BEGIN IMMEDIATE kept everybody else out; here the primary key decides. Two writers may both find the version
they expect; the second one's INSERT waits until the first has committed, and is refused.
"""

from __future__ import annotations

import json
import threading

import psycopg

from exercises.event_sourcing.history import SCHEMA, Conflict, Event, Stored, state_after

TABLE = """CREATE TABLE IF NOT EXISTS events (position bigint GENERATED ALWAYS AS IDENTITY, stream text, version int,
           event_id text, type text, schema int, data json, PRIMARY KEY (stream, version))"""
INSERT = "INSERT INTO events (stream, version, event_id, type, schema, data) VALUES (%s, %s, %s, %s, %s, %s)"


class OwnStore:
    """Streams of events in one table; a connection for each thread."""

    def __init__(self, database):
        self.database, self._connections = database, threading.local()
        self.db.execute(TABLE)

    @property
    def db(self) -> psycopg.Connection:
        """This thread's connection."""
        if not hasattr(self._connections, "db"):
            self._connections.db = self.database.connect()
        return self._connections.db

    def append(self, stream: str, expected: int, events: list[Event]) -> None:
        """Writes the events at versions expected, expected + 1, ...; all or none, once, or raises Conflict."""
        there = self.read(stream)
        if [event.event_id for event in there[expected:expected + len(events)]] == [event.id for event in events]:
            return
        if len(there) != expected:
            raise Conflict(f"{stream} is at version {len(there)}, not {expected}")
        try:
            with self.db.transaction():
                for version, event in enumerate(events, start=expected):
                    self.db.execute(INSERT, [stream, version, event.id, event.type, SCHEMA, json.dumps(event.data)])
        except psycopg.errors.UniqueViolation:
            raise Conflict(f"somebody else was faster in {stream}") from None

    def read(self, stream: str) -> list[Stored]:
        """The events of a stream."""
        query = "SELECT stream, version, event_id, type, schema, data FROM events WHERE stream = %s ORDER BY version"
        return [Stored(*row) for row in self.db.execute(query, [stream])]

    def load(self, stream: str) -> tuple[int, dict | None]:
        """The version of a stream and its state."""
        events = self.read(stream)
        return len(events), state_after(events)

    def open(self, stream: str, owner: str) -> None:
        """A new account."""
        self.append(stream, 0, [Event(f"{stream}-0", "opened", {"owner": owner})])

    def deposit(self, stream: str, cents: int) -> None:
        """Money comes in, whoever else writes meanwhile."""
        while True:
            version = len(self.read(stream))
            deposited = Event(f"{stream}-{version}", "deposited", {"cents": cents, "channel": "app"})
            try:
                return self.append(stream, version, [deposited])
            except Conflict:
                continue

    def withdraw(self, command: str, stream: str, cents: int) -> bool:
        """Whether the money was withdrawn: once for each command, and never more than there is."""
        while True:
            events = self.read(stream)
            if any(event.event_id == command for event in events):
                return True
            if state_after(events)["balance"] < cents:
                return False
            try:
                self.append(stream, len(events), [Event(command, "withdrawn", {"cents": cents, "channel": "app"})])
                return True
            except Conflict:
                continue

    def rows(self) -> list[list]:
        """Everything in the store: stream, version, id, type, schema, data."""
        query = "SELECT stream, version, event_id, type, schema, data FROM events ORDER BY stream, version"
        return [list(row) for row in self.db.execute(query)]
