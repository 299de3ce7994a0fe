"""OX1: commit the order, then publish it directly.

The classic dual write. If the shop dies between the commit and the publish, nobody ever hears of the order.
"""
from exercises.outbox import Event

FAILS = ("atomic", "lost", "after COMMIT, before publish")


def place_order(db, broker, order):
    with db:
        db.execute("INSERT INTO orders VALUES (?, ?, ?)", order)
    broker.publish(Event(f"placed-{order.id}", *order)).wait()
