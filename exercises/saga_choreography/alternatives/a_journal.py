"""One function for both services: a journal of what was done and undone, and a status between pending and the end."""


def part(db, event, table, take, give, yes, no):
    """Do, or undo, one service's part of an order; `take` and `give` are statements with their parameters."""
    value = event.sku if table == "reservations" else event.amount
    done, undone = (db.execute(f"SELECT 1 FROM {table} WHERE order_id = ?", (event.order_id + suffix,)).fetchone()
                    for suffix in (" done", " undone"))
    if event.type.endswith("Rejected"):
        if not undone:
            db.execute(f"INSERT INTO {table} VALUES (?, ?, '')", (event.order_id + " undone", value))
            if done:
                db.execute(*give)
    elif not done and not undone:
        if db.execute(*take).rowcount:
            db.execute(f"INSERT INTO {table} VALUES (?, ?, '')", (event.order_id + " done", value))
            emit(db, event, yes)
        else:
            db.execute(f"INSERT INTO {table} VALUES (?, ?, '')", (event.order_id + " undone", value))
            emit(db, event, no)


def stock(db, event):
    with db:
        db.execute("BEGIN IMMEDIATE")
        part(db, event, "reservations",
             ("UPDATE stock SET free = free - 1 WHERE sku = ? AND free >= 1", (event.sku,)),
             ("UPDATE stock SET free = free + 1 WHERE sku = ?", (event.sku,)), "StockReserved", "StockRejected")


def payment(db, event):
    with db:
        db.execute("BEGIN IMMEDIATE")
        part(db, event, "payments",
             ("UPDATE accounts SET balance = balance - ? WHERE customer = ? AND balance >= ?",
              (event.amount, event.customer, event.amount)),
             ("UPDATE accounts SET balance = balance + ? WHERE customer = ?", (event.amount, event.customer)),
             "PaymentTaken", "PaymentRejected")


def orders(db, event):
    status = {"Shipped": "done"}.get(event.type, "failed")
    with db:
        db.execute("UPDATE orders SET status = ? WHERE order_id = ?", (status, event.order_id))


def overdue(db, now):
    with db:
        for row in db.execute("SELECT order_id, customer, sku, amount, placed_at FROM orders WHERE status = 'pending'"
                              " AND placed_at + ? < ?", (DEADLINE, now)).fetchall():
            if db.execute("UPDATE orders SET status = 'cancelling' WHERE order_id = ? AND status = 'pending'",
                          (row[0],)).rowcount:
                emit(db, Order(*row), "OrderCancelled")
