"""Publishes what waited before it had the claim: somebody else may have published it since."""
FAILS = ("rivals", "repeated", "before claim")


def relay(db, broker):
    waiting = sorted(db.waiting(), key=lambda row: row.version)
    for aggregate in dict.fromkeys(row.aggregate for row in waiting):
        token = db.claim(aggregate, LEASE)
        if token is not None:
            for row in waiting:
                if row.aggregate == aggregate:
                    broker.publish(row.id, row, token).wait()
                    db.mark([row])
            db.release(aggregate, token)
