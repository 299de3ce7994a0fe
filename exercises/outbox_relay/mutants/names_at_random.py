"""Gives each publish a new name: a consumer cannot recognise the copy."""
FAILS = ("relay", "unrecognised", "no consumer sees that they are one")


from uuid import uuid4


def relay(db, broker):
    for aggregate in dict.fromkeys(row.aggregate for row in db.waiting()):
        token = db.claim(aggregate, LEASE)
        if token is None:
            continue
        rows = [row for row in db.waiting() if row.aggregate == aggregate]
        for row in sorted(rows, key=lambda row: row.version):
            broker.publish(str(uuid4()), row, token).wait()
            db.mark([row])
        db.release(aggregate, token)
