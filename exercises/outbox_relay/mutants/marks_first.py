"""Marks, then publishes: nobody knows of an event whose relay died in between."""
FAILS = ("relay", "lost", "after mark")


def relay(db, broker):
    for aggregate in dict.fromkeys(row.aggregate for row in db.waiting()):
        token = db.claim(aggregate, LEASE)
        if token is None:
            continue
        rows = [row for row in db.waiting() if row.aggregate == aggregate]
        for row in sorted(rows, key=lambda row: row.version):
            db.mark([row])
            broker.publish(row.id, row, token).wait()
        db.release(aggregate, token)
