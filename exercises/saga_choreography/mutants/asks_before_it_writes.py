"""Looks for a tombstone first and writes then: it arrives in between."""
FAILS = ("rivals", "leaked", "paused")


def payment(db, event):
    known = db.execute("SELECT state FROM payments WHERE order_id = ?", (event.order_id,)).fetchone()
    with db:
        if event.type == "StockReserved":
            if known:
                return
            paid = db.execute("UPDATE accounts SET balance = balance - ? WHERE customer = ? AND balance >= ?",
                              (event.amount, event.customer, event.amount)).rowcount
            db.execute("INSERT OR REPLACE INTO payments VALUES (?, ?, ?)",
                       (event.order_id, event.amount, "taken" if paid else "rejected"))
            emit(db, event, "PaymentTaken" if paid else "PaymentRejected")
        elif known == ("taken",):
            db.execute("UPDATE payments SET state = 'refunded' WHERE order_id = ?", (event.order_id,))
            db.execute("UPDATE accounts SET balance = balance + ? WHERE customer = ?", (event.amount, event.customer))
        else:
            db.execute("INSERT OR IGNORE INTO payments VALUES (?, ?, 'refunded')", (event.order_id, event.amount))
