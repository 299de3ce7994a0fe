"""OX19, the other half: the inbox row first, in a transaction of its own.

If the consumer dies after that commit, the event comes again, looks known, and never takes effect.
"""
FAILS = ("once", "missing", "after COMMIT, before UPDATE spent")


def handle(db, delivery):
    event = delivery.event
    with db:
        new = db.execute("INSERT OR IGNORE INTO inbox VALUES (?)", (event.id,)).rowcount
    if new:
        with db:
            db.execute("UPDATE spent SET total = total + ? WHERE customer = ?", (event.amount, event.customer))
    delivery.ack()
