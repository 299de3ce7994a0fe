"""Returns where it should raise: the caller believes that its events are there."""
FAILS = ("append", "misplaced", "but it is nowhere")


def append(db, stream, expected, events):
    with db:
        db.execute("BEGIN IMMEDIATE")
        (length,) = db.execute("SELECT COUNT(*) FROM events WHERE stream = ?", (stream,)).fetchone()
        if length != expected:
            return
        for version, event in enumerate(events, start=expected):
            db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)",
                       (stream, version, event.id, event.type, SCHEMA, json.dumps(event.data)))
