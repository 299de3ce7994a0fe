"""A shop with an outbox in PostgreSQL, and relays that carry it to JetStream: one asks the table, one reads the log.

Both publish first and remember afterwards, so that a relay which dies in between repeats itself and loses nothing; both
give a message the same `Nats-Msg-Id` each time, so that the server recognises the copy (within the stream's duplicate
window, two minutes). They differ in where they remember: the first in a column of the table, the second in a
replication slot.

`step` is called before each side effect with a word for it. It does nothing, unless it is there to kill the process.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import NamedTuple

from labs.pgoutput import Commit, Insert, decoded, text_lsn

SLOT = PUBLICATION = "outbox_relay"
TABLES = """
DROP TABLE IF EXISTS orders, outbox;
CREATE TABLE orders (id int PRIMARY KEY, customer text, amount int CHECK (amount > 0));
CREATE TABLE outbox (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id text UNIQUE,
                     customer text, value int, published boolean DEFAULT false);
CREATE INDEX waiting ON outbox (position) WHERE NOT published;
DROP PUBLICATION IF EXISTS outbox_relay;
CREATE PUBLICATION outbox_relay FOR TABLE outbox WITH (publish = 'insert');
"""
CLAIM = """SELECT position, event_id, customer, value FROM outbox WHERE NOT published
           ORDER BY position LIMIT %s FOR UPDATE SKIP LOCKED"""
MARK = "UPDATE outbox SET published = true WHERE position = ANY(%s)"
ADVANCE = "SELECT pg_replication_slot_advance(%s, %s::pg_lsn)"
BATCH = 100


class Event(NamedTuple):
    """What the shop announces: an id of its own, whose it is, and its number."""
    id: str
    customer: str
    value: int


def event_of(row: dict) -> Event:
    """The event of a decoded row of the outbox, whose values are text."""
    return Event(row["event_id"], row["customer"], int(row["value"]))


def create(db) -> None:
    """Empty tables, and a slot that keeps whatever comes from now on."""
    db.execute(TABLES)
    if not db.execute("SELECT 1 FROM pg_replication_slots WHERE slot_name = %s", [SLOT]).fetchone():
        db.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [SLOT])
    db.execute(ADVANCE, [SLOT, *db.execute("SELECT pg_current_wal_lsn()::text").fetchone()])


def place(db, order: int, customer: str, amount: int = 10) -> float:
    """Stores an order and its announcement: both, or neither; when (time.monotonic) the commit was asked for."""
    with db.transaction():
        db.execute("INSERT INTO outbox (event_id, customer, value) VALUES (%s, %s, %s)",
                   [f"placed-{order}", customer, order])
        db.execute("INSERT INTO orders VALUES (%s, %s, %s)", [order, customer, amount])
        return time.monotonic()


class Publisher:
    """Publishes events to a stream; counts what it sent, and what the server recognised as a copy."""

    def __init__(self, jetstream, stream: str, deduplicate: bool = True):
        self.jetstream, self.stream, self.deduplicate = jetstream, stream, deduplicate
        self.sent = self.recognised = 0

    async def publish(self, event: Event) -> None:
        """Returns once the stream has the event."""
        headers = {"Nats-Msg-Id": event.id} if self.deduplicate else None
        self.sent += 1
        content = json.dumps(event).encode()
        ack = await self.jetstream.publish(f"{self.stream}.{event.customer}", content, headers=headers)
        self.recognised += bool(ack.duplicate)


Step = Callable[[str], None]


async def poll(db, publisher: Publisher, step: Step, batch: int = BATCH) -> int:
    """One round of the relay that asks the table: claim, publish, mark; how many events that were."""
    step("claim")
    with db.transaction():
        rows = db.execute(CLAIM, [batch]).fetchall()
        for _, *event in rows:
            step(f"publish {event[0]}")
            await publisher.publish(Event(*event))
        if rows:
            step("mark")
            db.execute(MARK, [[position for position, *_ in rows]])
            step("commit")
    return len(rows)


async def follow(db, publisher: Publisher, step: Step, batch: int = BATCH) -> int:
    """One round of the relay that reads the log: peek, publish, advance the slot; how many events that were."""
    step("peek")
    events, end = 0, None
    for change in decoded(db, SLOT, PUBLICATION, changes=batch):
        if isinstance(change.message, Insert):
            event = event_of(change.message.row)
            step(f"publish {event.id}")
            await publisher.publish(event)
            events += 1
        elif isinstance(change.message, Commit):
            end = change.message.end_lsn
    if events:
        step("advance")
        db.execute(ADVANCE, [SLOT, text_lsn(end)])
    return events


RELAYS = {"poll": poll, "follow": follow}
