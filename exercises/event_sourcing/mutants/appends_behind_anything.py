"""Ignores the expected version and writes behind whatever stands there."""
FAILS = ("append", "doubled", "No fault was needed")


def append(db, stream, expected, events):
    with db:
        for event in events:
            db.execute("INSERT INTO events SELECT ?, COALESCE(MAX(version) + 1, 0), ?, ?, ?, ? FROM events"
                       " WHERE stream = ?",
                       (stream, event.id, event.type, SCHEMA, json.dumps(event.data), stream))
