"""Cancels nothing: who is told nothing waits for ever."""
FAILS = ("stuck", "unfinished", "was lost for good")


def overdue(db, now):
    pass
