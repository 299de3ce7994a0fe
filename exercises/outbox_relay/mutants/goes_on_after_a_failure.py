"""Leaves an unconfirmed event for later and goes on with the next of the same aggregate."""
FAILS = ("relay", "inverted", "The broker never got")


def relay(db, broker):
    for aggregate in dict.fromkeys(row.aggregate for row in db.waiting()):
        token = db.claim(aggregate, LEASE)
        if token is None:
            continue
        rows = [row for row in db.waiting() if row.aggregate == aggregate]
        for row in sorted(rows, key=lambda row: row.version):
            try:
                broker.publish(row.id, row, token).wait()
                db.mark([row])
            except NotConfirmed:
                pass
        db.release(aggregate, token)
