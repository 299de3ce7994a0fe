"""OX22: acknowledges before the effect is committed.

The broker forgets the event, the consumer dies, and the effect is never booked.
"""
FAILS = ("once", "missing", "after ack")


def handle(db, delivery):
    event = delivery.event
    delivery.ack()
    with db:
        if db.execute("INSERT OR IGNORE INTO inbox VALUES (?)", (event.id,)).rowcount:
            db.execute("UPDATE spent SET total = total + ? WHERE customer = ?", (event.amount, event.customer))
