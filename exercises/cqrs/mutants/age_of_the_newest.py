"""Tells the age of the newest event that waits: a stuck model looks fresh as long as others write."""
FAILS = ("lag", "mismeasured", "the oldest for")


def lag(db, log, now):
    """Events that wait, and the age of the oldest in seconds."""
    waiting = log.read(position(db), limit=10**9)
    return len(waiting), max(0, now - waiting[-1].at) if waiting else 0
