"""Claims each row by itself: one relay sleeps on version 1 while the other publishes version 2."""
FAILS = ("rivals", "inverted", "was paused")


def relay(db, broker):
    for row in sorted(db.waiting(), key=lambda row: row.version):
        token = db.claim(row.id, LEASE)
        if token is not None and row in db.waiting():
            broker.publish(row.id, row, token).wait()
            db.mark([row])
            db.release(row.id, token)
