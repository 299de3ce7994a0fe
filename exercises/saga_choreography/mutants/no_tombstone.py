"""Forgets an undoing that comes too early: the money is taken for an order that has failed."""
FAILS = ("reordered", "leaked", "money, ")


def payment(db, event):
    with db:
        if event.type == "StockReserved":
            new = db.execute("INSERT OR IGNORE INTO payments VALUES (?, ?, 'taken')",
                             (event.order_id, event.amount)).rowcount
            if not new:
                return
            if db.execute("UPDATE accounts SET balance = balance - ? WHERE customer = ? AND balance >= ?",
                          (event.amount, event.customer, event.amount)).rowcount:
                emit(db, event, "PaymentTaken")
            else:
                db.execute("UPDATE payments SET state = 'rejected' WHERE order_id = ?", (event.order_id,))
                emit(db, event, "PaymentRejected")
        elif db.execute("UPDATE payments SET state = 'refunded' WHERE order_id = ? AND state = 'taken'",
                        (event.order_id,)).rowcount:
            db.execute("UPDATE accounts SET balance = balance + ? WHERE customer = ?", (event.amount, event.customer))
