"""Takes the state from one look at the store and its version from another."""
FAILS = ("snapshot", "meaning", "paused")


def snapshot(db, stream):
    _, state = load(db, stream)
    with db:
        db.execute("DELETE FROM snapshots WHERE stream = ?", (stream,))
    (version,) = db.execute("SELECT COUNT(*) FROM events WHERE stream = ?", (stream,)).fetchone()
    with db:
        db.execute("REPLACE INTO snapshots VALUES (?, ?, ?, ?)", (stream, version, STATE_SCHEMA, json.dumps(state)))
