"""Cancels again each second until an answer is there."""
FAILS = ("stuck", "repeats", "OrderCancelled")


def overdue(db, now):
    late = db.execute("SELECT order_id, customer, sku, amount, placed_at FROM orders WHERE status = 'pending'"
                      " AND placed_at < ?", (now - DEADLINE,)).fetchall()
    for order in map(Order._make, late):
        with db:
            if db.execute("UPDATE orders SET cancelled = 1 WHERE order_id = ? AND status = 'pending'",
                          (order.order_id,)).rowcount:
                emit(db, order, "OrderCancelled")
