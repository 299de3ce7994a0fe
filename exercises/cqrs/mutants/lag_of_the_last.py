"""Measures from the last event it has taken in: the lag grows while nothing happens."""
FAILS = ("lag", "mismeasured", "lag said")


def lag(db, log, now):
    waiting = log.read(position(db), limit=10**9)
    last = [event for event in log.events if event.position <= position(db)]
    return len(waiting), max(0, now - last[-1].at if last else now)
