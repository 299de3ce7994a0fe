"""Deletes only below the first unpublished row: one that waits long keeps all others."""
FAILS = ("cleanup", "hoards", "rows were still in the table")


def cleanup(db, keep):
    now = db.now()
    first = min((row.position for row in db.rows() if row.published is None), default=1e9)
    db.delete(lambda row: row.position < first and row.published is not None and now - row.published >= keep)
