"""Fails an order that is overdue without asking the carrier."""
FAILS = ("stuck", "torn", "failed, but it was shipped")


def overdue(db, now):
    late = db.execute("SELECT order_id, customer, sku, amount, placed_at FROM orders WHERE status = 'pending'"
                      " AND cancelled = 0 AND placed_at < ?", (now - DEADLINE,)).fetchall()
    for order in map(Order._make, late):
        with db:
            if db.execute("UPDATE orders SET cancelled = 1, status = 'failed'"
                          " WHERE order_id = ? AND cancelled = 0 AND status = 'pending'", (order.order_id,)).rowcount:
                emit(db, order, "OrderCancelled")
