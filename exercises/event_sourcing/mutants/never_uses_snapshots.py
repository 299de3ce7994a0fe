"""Writes snapshots and folds everything all the same."""
FAILS = ("snapshot", "cold", "the archive took")


def load(db, stream):
    rows = db.execute("SELECT type, schema, data FROM events WHERE stream = ? ORDER BY version", (stream,)).fetchall()
    state = None
    for type, schema, data in rows:
        state = evolve(state, type, upcast(type, schema, json.loads(data)))
    return len(rows), state
