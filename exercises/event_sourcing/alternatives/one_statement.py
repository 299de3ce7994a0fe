"""The insert asks for itself, snapshots only move forward, and a withdrawal begins by trying."""


def append(db, stream, expected, events):
    found = [each for (each,) in db.execute(
        "SELECT event_id FROM events WHERE stream = ? AND version >= ? ORDER BY version LIMIT ?",
        (stream, expected, len(events))).fetchall()]
    if found == [event.id for event in events]:
        return
    with db:
        for n, event in enumerate(events):
            written = db.execute(
                "INSERT INTO events SELECT ?, ?, ?, ?, ?, ? WHERE ? = (SELECT COUNT(*) FROM events WHERE stream = ?)",
                (stream, expected + n, event.id, event.type, SCHEMA, json.dumps(event.data), expected + n, stream)
            ).rowcount
            if not written:
                raise Conflict(stream)


def snapshot(db, stream):
    version, state = load(db, stream)
    with db:
        db.execute("INSERT INTO snapshots VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version,"
                   " schema = excluded.schema, state = excluded.state"
                   " WHERE excluded.version > version OR excluded.schema <> schema",
                   (stream, version, STATE_SCHEMA, json.dumps(state)))


def withdraw(db, command_id, stream, cents):
    done = "SELECT COUNT(*) FROM events WHERE stream = ? AND event_id = ?"
    version, state = load(db, stream)
    if db.execute(done, (stream, command_id)).fetchone()[0]:
        return True
    if cents > state["balance"]:
        return False
    try:
        append(db, stream, version, [Event(command_id, "withdrawn", {"cents": cents, "channel": "app"})])
        return True
    except Conflict:
        return withdraw(db, command_id, stream, cents)
