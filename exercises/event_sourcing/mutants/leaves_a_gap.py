"""Refuses a version that is taken, and accepts one that is far ahead."""
FAILS = ("append", "gaps", "not one after the other")


def append(db, stream, expected, events):
    with db:
        db.execute("BEGIN IMMEDIATE")
        (length,) = db.execute("SELECT COUNT(*) FROM events WHERE stream = ?", (stream,)).fetchone()
        there = db.execute("SELECT event_id FROM events WHERE stream = ? AND version >= ? ORDER BY version",
                           (stream, expected)).fetchall()
        if [each for (each,) in there[:len(events)]] == [event.id for event in events]:
            return
        if length > expected:
            raise Conflict(stream)
        for version, event in enumerate(events, start=expected):
            db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)",
                       (stream, version, event.id, event.type, SCHEMA, json.dumps(event.data)))
