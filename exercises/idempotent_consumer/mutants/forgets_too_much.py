"""Forgets one offset too early: the copy that comes as late as copies may come looks new."""
FAILS = ("forget", "twice", "No fault was needed")


def forget(db, record, horizon):
    with db:
        db.execute("DELETE FROM seen WHERE partition = ? AND offset <= ?",
                   (record.partition, record.offset - horizon + 1))
