"""Reads on one event too late behind a snapshot."""
FAILS = ("snapshot", "error", "NoneType")


def load(db, stream):
    kept = db.execute("SELECT version, state FROM snapshots WHERE stream = ? AND schema = ?",
                      (stream, STATE_SCHEMA,)).fetchone()
    version, state = (kept[0], json.loads(kept[1])) if kept else (0, None)
    tail = db.execute("SELECT type, schema, data FROM events WHERE stream = ? AND version > ? ORDER BY version",
                      (stream, version)).fetchall()
    for type, schema, data in tail:
        state = evolve(state, type, upcast(type, schema, json.loads(data)))
    return version + len(tail), state
