"""Forgets to commit: when the call returns, the snapshot is gone."""
FAILS = ("snapshot", "left_open", "still open")


def snapshot(db, stream):
    version, state = load(db, stream)
    db.execute("REPLACE INTO snapshots VALUES (?, ?, ?, ?)", (stream, version, STATE_SCHEMA, json.dumps(state)))
