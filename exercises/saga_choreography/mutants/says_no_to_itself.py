"""Notes that there is not enough money, and tells nobody."""
FAILS = ("flow", "unfinished", "is pending for ever")


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
        elif db.execute("UPDATE payments SET state = 'refunded' WHERE order_id = ? AND state = 'taken'",
                        (event.order_id,)).rowcount:
            db.execute("UPDATE accounts SET balance = balance + ? WHERE customer = ?", (event.amount, event.customer))
        else:
            db.execute("INSERT OR IGNORE INTO payments VALUES (?, ?, 'refunded')", (event.order_id, event.amount))
