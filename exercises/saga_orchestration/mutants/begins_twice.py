"""An order that is known already is an error: after a crash nobody can begin again."""
FAILS = ("crash", "error", "IntegrityError")


def start(db, services, order):
    """Begin the saga of an order, unless it has begun, and go as far as possible."""
    with db:
        new = db.execute("INSERT INTO orders VALUES (?, ?, ?, 'pending')", order).rowcount
        if new:
            held = db.execute("UPDATE credit SET held = held + ? WHERE customer = ? AND held + ? <= most",
                              (order.amount, order.customer, order.amount)).rowcount
            if held:
                db.execute("INSERT INTO sagas VALUES (?, 0, 'forward', 0)", (order.id,))
            else:
                db.execute("UPDATE orders SET status = 'failed' WHERE order_id = ?", (order.id,))
    advance(db, services, order.id)
