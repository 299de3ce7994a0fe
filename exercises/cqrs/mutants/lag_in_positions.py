"""Subtracts positions: gaps count as events that wait."""
FAILS = ("lag", "mismeasured", "events waiting")


def lag(db, log, now):
    waiting = log.read(position(db))
    return log.head() - position(db), max(0, now - waiting[0].at) if waiting else 0
