"""OX20: remembers what it has seen in a set.

The set dies with the process; the event that was in flight is booked again.
"""
FAILS = ("once", "twice", "after COMMIT, before ack")

seen = set()


def handle(db, delivery):
    event = delivery.event
    if event.id not in seen:
        with db:
            db.execute("UPDATE spent SET total = total + ? WHERE customer = ?", (event.amount, event.customer))
        seen.add(event.id)
    delivery.ack()
