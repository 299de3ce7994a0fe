"""Decides on one look and takes the expected version from a later one."""
FAILS = ("withdraw", "overdrawn", "before BEGIN")


def withdraw(db, command_id, stream, cents):
    while True:
        _, state = load(db, stream)
        if db.execute("SELECT 1 FROM events WHERE stream = ? AND event_id = ?", (stream, command_id)).fetchone():
            return True
        if state["balance"] < cents:
            return False
        with db:
            db.execute("BEGIN IMMEDIATE")  # to be sure that nobody writes now; somebody may have written before
            (version,) = db.execute("SELECT COUNT(*) FROM events WHERE stream = ?", (stream,)).fetchone()
        try:
            append(db, stream, version, [Event(command_id, "withdrawn", {"cents": cents, "channel": "app"})])
            return True
        except Conflict:
            continue
