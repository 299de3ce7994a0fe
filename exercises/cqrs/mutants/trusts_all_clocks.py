"""Subtracts two clocks without a doubt: an event from the future has a negative age."""
FAILS = ("lag", "mismeasured", "s behind the one that wrote")


def lag(db, log, now):
    """Events that wait, and the age of the oldest in seconds."""
    waiting = log.read(position(db), limit=10**9)
    return len(waiting), now - waiting[0].at if waiting else 0
