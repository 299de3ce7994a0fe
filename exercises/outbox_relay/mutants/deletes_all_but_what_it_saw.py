"""Looks what has to stay, then deletes all else up to a position: a row in flight appears below, unseen."""
FAILS = ("cleanup", "lost", "paused")


def cleanup(db, keep):
    old = [row.position for row in db.rows() if row.published is not None and db.now() - row.published >= keep]
    last, stay = max(old, default=0), {row.position for row in db.rows()} - set(old)
    db.delete(lambda row: row.position <= last and row.position not in stay)
