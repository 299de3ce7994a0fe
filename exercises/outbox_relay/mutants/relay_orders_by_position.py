"""Publishes an aggregate in the order of positions."""
FAILS = ("relay", "inverted", "No fault was needed")


def relay(db, broker):
    for aggregate in dict.fromkeys(row.aggregate for row in db.waiting()):
        token = db.claim(aggregate, LEASE)
        if token is None:
            continue
        rows = [row for row in db.waiting() if row.aggregate == aggregate]
        for row in rows:
            broker.publish(row.id, row, token).wait()
            db.mark([row])
        db.release(aggregate, token)
