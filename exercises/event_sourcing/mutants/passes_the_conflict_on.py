"""Lets the conflict escape to a caller who has asked for money, not for a version."""
FAILS = ("withdraw", "error", "Conflict")


def withdraw(db, command_id, stream, cents):
    while True:
        version, state = load(db, stream)
        if db.execute("SELECT 1 FROM events WHERE stream = ? AND event_id = ?", (stream, command_id)).fetchone():
            return True
        if state["balance"] < cents:
            return False
        try:
            append(db, stream, version, [Event(command_id, "withdrawn", {"cents": cents, "channel": "app"})])
            return True
        except Conflict:
            raise
