"""A transaction for each event: a crash leaves half of an append."""
FAILS = ("append", "torn", "after COMMIT, before INSERT events")


def append(db, stream, expected, events):
    ids = [event.id for event in events]
    there = [each for (each,) in db.execute("SELECT event_id FROM events WHERE stream = ? AND version >= ?"
                                            " ORDER BY version", (stream, expected)).fetchall()]
    if there[:len(ids)] == ids:
        return
    (length,) = db.execute("SELECT COUNT(*) FROM events WHERE stream = ?", (stream,)).fetchone()
    if length != expected:
        raise Conflict(stream)
    for version, event in enumerate(events, start=expected):
        with db:
            db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)",
                       (stream, version, event.id, event.type, SCHEMA, json.dumps(event.data)))
