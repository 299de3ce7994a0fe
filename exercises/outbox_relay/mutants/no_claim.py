"""Asks for what waits and publishes it: so does the other relay."""
FAILS = ("rivals", "repeated", "before publish")


def relay(db, broker):
    for row in sorted(db.waiting(), key=lambda row: row.version):
        broker.publish(row.id, row).wait()
        db.mark([row])
