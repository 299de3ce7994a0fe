"""Takes an append for a repetition as soon as its first event is known."""
FAILS = ("append", "misplaced", "so c.1")


def append(db, stream, expected, events):
    with db:
        db.execute("BEGIN IMMEDIATE")
        (length,) = db.execute("SELECT COUNT(*) FROM events WHERE stream = ?", (stream,)).fetchone()
        if db.execute("SELECT 1 FROM events WHERE event_id = ?", (events[0].id,)).fetchone():
            return
        if length != expected:
            raise Conflict(stream)
        for version, event in enumerate(events, start=expected):
            db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)",
                       (stream, version, event.id, event.type, SCHEMA, json.dumps(event.data)))
