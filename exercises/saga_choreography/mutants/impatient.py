"""Cancels in the last second before the deadline is over."""
FAILS = ("stuck", "hasty", "15 seconds after it was placed")


def overdue(db, now):
    late = db.execute("SELECT order_id, customer, sku, amount, placed_at FROM orders WHERE status = 'pending'"
                      " AND cancelled = 0 AND placed_at < ?", (now - DEADLINE + 1,)).fetchall()
    for order in map(Order._make, late):
        with db:
            if db.execute("UPDATE orders SET cancelled = 1 WHERE order_id = ? AND cancelled = 0 AND status = 'pending'",
                          (order.order_id,)).rowcount:
                emit(db, order, "OrderCancelled")
