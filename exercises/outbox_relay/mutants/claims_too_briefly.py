"""Claims for a second: any little pause is longer."""
FAILS = ("rivals", "repeated", "was paused for 5 s after publish")


def relay(db, broker):
    for aggregate in dict.fromkeys(row.aggregate for row in db.waiting()):
        token = db.claim(aggregate, 1)
        if token is None:
            continue
        rows = [row for row in db.waiting() if row.aggregate == aggregate]
        for row in sorted(rows, key=lambda row: row.version):
            broker.publish(row.id, row, token).wait()
            db.mark([row])
        db.release(aggregate, token)
