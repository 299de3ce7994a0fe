"""Looks at the credit, and takes it in another statement: two sagas look at the same time."""
FAILS = ("credit", "overspent", "who has a credit of")


def start(db, services, order):
    """Begin the saga of an order, unless it has begun, and go as far as possible."""
    most, held = db.execute("SELECT most, held FROM credit WHERE customer = ?", (order.customer,)).fetchone()
    with db:
        new = db.execute("INSERT OR IGNORE INTO orders VALUES (?, ?, ?, 'pending')", order).rowcount
        if new:
            if held + order.amount <= most:
                db.execute("UPDATE credit SET held = held + ? WHERE customer = ?", (order.amount, order.customer))
                db.execute("INSERT INTO sagas VALUES (?, 0, 'forward', 0)", (order.id,))
            else:
                db.execute("UPDATE orders SET status = 'failed' WHERE order_id = ?", (order.id,))
    advance(db, services, order.id)
