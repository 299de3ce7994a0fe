"""OX3: the outbox row in a second transaction.

Both writes go to one database, yet a crash between the two commits leaves an order without its row.
"""
FAILS = ("atomic", "torn", "after COMMIT, before INSERT outbox")


def place_order(db, broker, order):
    with db:
        db.execute("INSERT INTO orders VALUES (?, ?, ?)", order)
    with db:
        db.execute("INSERT INTO outbox (event_id, order_id, customer, amount) VALUES (?, ?, ?, ?)",
                   (f"placed-{order.id}", *order))
