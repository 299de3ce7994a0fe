"""Names an event after its aggregate: a consumer drops the second one as a copy."""
FAILS = ("relay", "unrecognised", "a consumer drops the second")


def relay(db, broker):
    for aggregate in dict.fromkeys(row.aggregate for row in db.waiting()):
        token = db.claim(aggregate, LEASE)
        if token is None:
            continue
        rows = [row for row in db.waiting() if row.aggregate == aggregate]
        for row in sorted(rows, key=lambda row: row.version):
            broker.publish(aggregate, row, token).wait()
            db.mark([row])
        db.release(aggregate, token)
