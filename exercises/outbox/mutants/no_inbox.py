"""Trusts that every event comes once: the first lost acknowledgement books it twice."""
FAILS = ("once", "twice", "booked twice")


def handle(db, delivery):
    event = delivery.event
    with db:
        db.execute("UPDATE spent SET total = total + ? WHERE customer = ?", (event.amount, event.customer))
    delivery.ack()
