"""Deletes what is published, without keeping it."""
FAILS = ("cleanup", "hasty", "were asked for")


def cleanup(db, keep):
    db.delete(lambda row: row.published is not None)
