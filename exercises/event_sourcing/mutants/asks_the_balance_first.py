"""Looks at the balance before it looks for its own event: the money is missing because it has it."""
FAILS = ("withdraw", "mistaken", "said False, but its event is in")


def withdraw(db, command_id, stream, cents):
    while True:
        version, state = load(db, stream)
        if state["balance"] < cents:
            return False
        try:
            append(db, stream, version, [Event(command_id, "withdrawn", {"cents": cents, "channel": "app"})])
            return True
        except Conflict:
            continue
