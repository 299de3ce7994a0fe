"""Does not recognise its own earlier try, and reports a conflict with itself."""
FAILS = ("append", "refused", "from an earlier try")


def append(db, stream, expected, events):
    with db:
        db.execute("BEGIN IMMEDIATE")
        (length,) = db.execute("SELECT COUNT(*) FROM events WHERE stream = ?", (stream,)).fetchone()
        if length != expected:
            raise Conflict(stream)
        for version, event in enumerate(events, start=expected):
            db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)",
                       (stream, version, event.id, event.type, SCHEMA, json.dumps(event.data)))
