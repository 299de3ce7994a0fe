"""Holds the amount in a transaction of its own, before the one that begins the saga."""
FAILS = ("crash", "overspent", "are still held")


def start(db, services, order):
    """Begin the saga of an order, unless it has begun, and go as far as possible."""
    known = db.execute("SELECT 1 FROM orders WHERE order_id = ?", (order.id,)).fetchone()
    with db:
        held = not known and db.execute("UPDATE credit SET held = held + ? WHERE customer = ? AND held + ? <= most",
                                        (order.amount, order.customer, order.amount)).rowcount
    with db:
        new = db.execute("INSERT OR IGNORE INTO orders VALUES (?, ?, ?, 'pending')", order).rowcount
        if new:
            if held:
                db.execute("INSERT INTO sagas VALUES (?, 0, 'forward', 0)", (order.id,))
            else:
                db.execute("UPDATE orders SET status = 'failed' WHERE order_id = ?", (order.id,))
    advance(db, services, order.id)
