"""Looks before the transaction begins: somebody comes between, and the primary key is all that stands there."""
FAILS = ("writers", "error", "IntegrityError")


def append(db, stream, expected, events):
    ids = [event.id for event in events]
    there = [each for (each,) in db.execute("SELECT event_id FROM events WHERE stream = ? AND version >= ?"
                                            " ORDER BY version", (stream, expected)).fetchall()]
    if there[:len(ids)] == ids:
        return
    (length,) = db.execute("SELECT COUNT(*) FROM events WHERE stream = ?", (stream,)).fetchone()
    if length != expected:
        raise Conflict(stream)
    with db:
        for version, event in enumerate(events, start=expected):
            db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)",
                       (stream, version, event.id, event.type, SCHEMA, json.dumps(event.data)))
