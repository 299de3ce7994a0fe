"""Looks at the age of an order and not at its status: what has ended is cancelled too."""
FAILS = ("stuck", "hasty", "when it was cancelled")


def overdue(db, now):
    late = db.execute("SELECT order_id, customer, sku, amount, placed_at FROM orders WHERE"
                      " cancelled = 0 AND placed_at < ?", (now - DEADLINE,)).fetchall()
    for order in map(Order._make, late):
        with db:
            if db.execute("UPDATE orders SET cancelled = 1 WHERE order_id = ? AND cancelled = 0",
                          (order.order_id,)).rowcount:
                emit(db, order, "OrderCancelled")
