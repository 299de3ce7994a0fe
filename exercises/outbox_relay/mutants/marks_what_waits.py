"""Marks whatever waits of the aggregate, also what was committed since it looked."""
FAILS = ("relay", "lost", "No fault was needed")


def relay(db, broker):
    for aggregate in dict.fromkeys(row.aggregate for row in db.waiting()):
        token = db.claim(aggregate, LEASE)
        if token is None:
            continue
        rows = [row for row in db.waiting() if row.aggregate == aggregate]
        for row in sorted(rows, key=lambda row: row.version):
            broker.publish(row.id, row, token).wait()
        db.mark([row for row in db.waiting() if row.aggregate == aggregate])
        db.release(aggregate, token)
