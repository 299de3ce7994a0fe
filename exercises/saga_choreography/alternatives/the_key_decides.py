"""Looks first and writes then; whoever was slower is stopped by the primary key, and comes again."""


def stock(db, event):
    known = db.execute("SELECT state FROM reservations WHERE order_id = ?", (event.order_id,)).fetchone()
    if event.type == "OrderPlaced" and known is None:
        with db:
            free = db.execute("UPDATE stock SET free = free - 1 WHERE sku = ? AND free > 0", (event.sku,)).rowcount
            db.execute("INSERT INTO reservations VALUES (?, ?, ?)",
                       (event.order_id, event.sku, "yes" if free else "no"))
            emit(db, event, "StockReserved" if free else "StockRejected")
    elif event.type in ("PaymentRejected", "ShippingRejected"):
        with db:
            if known is None:
                db.execute("INSERT INTO reservations VALUES (?, ?, 'no')", (event.order_id, event.sku))
            elif db.execute("UPDATE reservations SET state = 'no' WHERE order_id = ? AND state = 'yes'",
                            (event.order_id,)).rowcount:
                db.execute("UPDATE stock SET free = free + 1 WHERE sku = ?", (event.sku,))


def payment(db, event):
    known = db.execute("SELECT state FROM payments WHERE order_id = ?", (event.order_id,)).fetchone()
    if event.type == "StockReserved" and known is None:
        with db:
            paid = db.execute("UPDATE accounts SET balance = balance - ? WHERE customer = ? AND balance >= ?",
                              (event.amount, event.customer, event.amount)).rowcount
            db.execute("INSERT INTO payments VALUES (?, ?, ?)",
                       (event.order_id, event.amount, "yes" if paid else "no"))
            emit(db, event, "PaymentTaken" if paid else "PaymentRejected")
    elif event.type == "ShippingRejected":
        with db:
            if known is None:
                db.execute("INSERT INTO payments VALUES (?, ?, 'no')", (event.order_id, event.amount))
            elif db.execute("UPDATE payments SET state = 'no' WHERE order_id = ? AND state = 'yes'",
                            (event.order_id,)).rowcount:
                db.execute("UPDATE accounts SET balance = balance + ? WHERE customer = ?",
                           (event.amount, event.customer))


def overdue(db, now):
    """Whether an order was cancelled is in the outbox already; a status of its own would do as well."""
    with db:
        db.execute("BEGIN IMMEDIATE")
        waiting = db.execute("SELECT order_id, customer, sku, amount, placed_at FROM orders WHERE status = 'pending'"
                             " AND ? - placed_at > ? AND order_id NOT IN (SELECT order_id FROM outbox WHERE type = ?)",
                             (now, DEADLINE, "OrderCancelled")).fetchall()
        for row in waiting:
            emit(db, Order(*row), "OrderCancelled")
