"""OX3, the other half: the outbox row first, in a transaction of its own.

When the database then refuses the order, its row is already committed and will be announced.
"""
FAILS = ("atomic", "torn", "but the order is not")


def place_order(db, broker, order):
    with db:
        db.execute("INSERT INTO outbox (event_id, order_id, customer, amount) VALUES (?, ?, ?, ?)",
                   (f"placed-{order.id}", *order))
    with db:
        db.execute("INSERT INTO orders VALUES (?, ?, ?)", order)
