"""Upcasts once and for all: it rewrites the store while reading."""
FAILS = ("snapshot", "altered", "from the beginning")


def load(db, stream):
    for version, type, schema, data in db.execute("SELECT version, type, schema, data FROM events WHERE stream = ?"
                                                  " AND schema < ?", (stream, SCHEMA)).fetchall():
        with db:
            db.execute("UPDATE events SET schema = ?, data = ? WHERE stream = ? AND version = ?",
                       (SCHEMA, json.dumps(upcast(type, schema, json.loads(data))), stream, version))
    rows = db.execute("SELECT type, data FROM events WHERE stream = ? ORDER BY version", (stream,)).fetchall()
    state = None
    for type, data in rows:
        state = evolve(state, type, json.loads(data))
    return len(rows), state
