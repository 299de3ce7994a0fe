"""Announces the payment before it takes it, in a transaction of its own."""
FAILS = ("crash", "repeats", "PaymentTaken for order o1 2 times")


def payment(db, event):
    if event.type == "StockReserved":
        balance, = db.execute("SELECT balance FROM accounts WHERE customer = ?", (event.customer,)).fetchone()
        known = db.execute("SELECT 1 FROM payments WHERE order_id = ?", (event.order_id,)).fetchone()
        if known:
            return
        enough = balance >= event.amount
        with db:
            emit(db, event, "PaymentTaken" if enough else "PaymentRejected")
        with db:
            db.execute("INSERT INTO payments VALUES (?, ?, ?)",
                       (event.order_id, event.amount, "taken" if enough else "rejected"))
            if enough:
                db.execute("UPDATE accounts SET balance = balance - ? WHERE customer = ?",
                           (event.amount, event.customer))
        return
    with db:
        if db.execute("UPDATE payments SET state = 'refunded' WHERE order_id = ? AND state = 'taken'",
                      (event.order_id,)).rowcount:
            db.execute("UPDATE accounts SET balance = balance + ? WHERE customer = ?", (event.amount, event.customer))
        else:
            db.execute("INSERT OR IGNORE INTO payments VALUES (?, ?, 'refunded')", (event.order_id, event.amount))
