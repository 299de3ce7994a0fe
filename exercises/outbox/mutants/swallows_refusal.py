"""Swallows the database's refusal: the caller is told that an order was placed which does not exist."""
FAILS = ("atomic", "unsaved", "returned normally")


def place_order(db, broker, order):
    try:
        with db:
            db.execute("INSERT INTO orders VALUES (?, ?, ?)", order)
            db.execute("INSERT INTO outbox (event_id, order_id, customer, amount) VALUES (?, ?, ?, ?)",
                       (f"placed-{order.id}", *order))
    except Exception:
        pass
