"""Never commits: `place_order` returns with its transaction still open, so nothing it wrote is there."""
FAILS = ("atomic", "unsaved", "is not in the database")


def place_order(db, broker, order):
    db.execute("INSERT INTO orders VALUES (?, ?, ?)", order)
    db.execute("INSERT INTO outbox (event_id, order_id, customer, amount) VALUES (?, ?, ?, ?)",
               (f"placed-{order.id}", *order))
