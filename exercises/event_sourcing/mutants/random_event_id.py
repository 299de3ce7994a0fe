"""Draws a new id for each try: after a crash nobody recognises what is there."""
FAILS = ("withdraw", "mistaken", "said True, but its event is not")

import uuid



def withdraw(db, command_id, stream, cents):
    while True:
        version, state = load(db, stream)
        if state["balance"] < cents:
            return False
        try:
            append(db, stream, version, [Event(str(uuid.uuid4()), "withdrawn", {"cents": cents, "channel": "app"})])
            return True
        except Conflict:
            continue
