"""Takes `expected` for a lower bound: whoever saw less than there is may write too."""
FAILS = ("append", "misplaced", "but it stands at")


def append(db, stream, expected, events):
    with db:
        db.execute("BEGIN IMMEDIATE")
        (length,) = db.execute("SELECT COUNT(*) FROM events WHERE stream = ?", (stream,)).fetchone()
        known = {each for (each,) in db.execute("SELECT event_id FROM events WHERE stream = ?", (stream,))}
        if events[0].id in known:
            return
        if expected > length:
            raise Conflict(stream)
        for version, event in enumerate(events, start=length):
            db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)",
                       (stream, version, event.id, event.type, SCHEMA, json.dumps(event.data)))
