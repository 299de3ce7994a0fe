"""Claims without an end: when the relay dies, nobody ever gets the aggregate."""
FAILS = ("relay", "stalled", "died")


def relay(db, broker):
    for aggregate in dict.fromkeys(row.aggregate for row in db.waiting()):
        token = db.claim(aggregate, 1e9)
        if token is None:
            continue
        rows = [row for row in db.waiting() if row.aggregate == aggregate]
        for row in sorted(rows, key=lambda row: row.version):
            broker.publish(row.id, row, token).wait()
            db.mark([row])
        db.release(aggregate, token)
