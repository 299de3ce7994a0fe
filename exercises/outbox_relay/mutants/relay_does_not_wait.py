"""Marks what it has sent, confirmed or not."""
FAILS = ("relay", "lost", "The broker never got")


def relay(db, broker):
    for aggregate in dict.fromkeys(row.aggregate for row in db.waiting()):
        token = db.claim(aggregate, LEASE)
        if token is None:
            continue
        rows = [row for row in db.waiting() if row.aggregate == aggregate]
        for row in sorted(rows, key=lambda row: row.version):
            broker.publish(row.id, row, token)
            db.mark([row])
        db.release(aggregate, token)
