"""Takes `Fenced` to mean that somebody else has published the row."""
FAILS = ("rivals", "lost", "was paused for 60 s")


def relay(db, broker):
    for aggregate in dict.fromkeys(row.aggregate for row in db.waiting()):
        token = db.claim(aggregate, LEASE)
        if token is None:
            continue
        rows = [row for row in db.waiting() if row.aggregate == aggregate]
        for row in sorted(rows, key=lambda row: row.version):
            try:
                broker.publish(row.id, row, token).wait()
            except Fenced:
                pass
            db.mark([row])
        db.release(aggregate, token)
