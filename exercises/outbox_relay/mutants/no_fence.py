"""Claims, and does not show the broker its token: after a long sleep it goes on where somebody else has been."""
FAILS = ("rivals", "repeated", "was paused for 60 s")


def relay(db, broker):
    for aggregate in dict.fromkeys(row.aggregate for row in db.waiting()):
        token = db.claim(aggregate, LEASE)
        if token is None:
            continue
        rows = [row for row in db.waiting() if row.aggregate == aggregate]
        for row in sorted(rows, key=lambda row: row.version):
            broker.publish(row.id, row).wait()
            db.mark([row])
        db.release(aggregate, token)
