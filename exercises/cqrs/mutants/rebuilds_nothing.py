"""Says that it has rebuilt."""
FAILS = ("rebuild", "drifted", "All is quiet")


def rebuild(db, log):
    return
