"""After a conflict it writes behind the new events what it decided on the old ones."""
FAILS = ("withdraw", "overdrawn", "before BEGIN")


def withdraw(db, command_id, stream, cents):
    version, state = load(db, stream)
    if db.execute("SELECT 1 FROM events WHERE stream = ? AND event_id = ?", (stream, command_id)).fetchone():
        return True
    if state["balance"] < cents:
        return False
    while True:
        try:
            append(db, stream, version, [Event(command_id, "withdrawn", {"cents": cents, "channel": "app"})])
            return True
        except Conflict:
            version, _ = load(db, stream)
