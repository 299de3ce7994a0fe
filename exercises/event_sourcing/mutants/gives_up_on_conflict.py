"""Says that there is not enough money when somebody else was quicker."""
FAILS = ("withdraw", "mistaken", "refused")


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
            return False
