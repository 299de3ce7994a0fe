"""INSERT OR REPLACE: the primary key no longer refuses, it lets the later writer erase the earlier one."""
FAILS = ("writers", "misplaced", "is nowhere. The writer was paused")


def append(db, stream, expected, events):
    (length,) = db.execute("SELECT COUNT(*) FROM events WHERE stream = ?", (stream,)).fetchone()
    there = db.execute("SELECT 1 FROM events WHERE stream = ? AND event_id = ?", (stream, events[0].id)).fetchone()
    if length != expected and not there:
        raise Conflict(stream)
    with db:
        for version, event in enumerate(events, start=expected):
            db.execute("INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?, ?)",
                       (stream, version, event.id, event.type, SCHEMA, json.dumps(event.data)))
