"""Keeps what it has heard in a set: a restarted process has heard nothing."""
FAILS = ("crash", "twice", "died after COMMIT, before ack")

SEEN = set()


def payment(db, event):
    with db:
        if event.type == "StockReserved":
            if event.id in SEEN:
                return
            SEEN.add(event.id)
            db.execute("INSERT OR REPLACE INTO payments VALUES (?, ?, 'taken')", (event.order_id, event.amount))
            if db.execute("UPDATE accounts SET balance = balance - ? WHERE customer = ? AND balance >= ?",
                          (event.amount, event.customer, event.amount)).rowcount:
                emit(db, event, "PaymentTaken")
            else:
                db.execute("UPDATE payments SET state = 'rejected' WHERE order_id = ?", (event.order_id,))
                emit(db, event, "PaymentRejected")
        elif db.execute("UPDATE payments SET state = 'refunded' WHERE order_id = ? AND state = 'taken'",
                        (event.order_id,)).rowcount:
            db.execute("UPDATE accounts SET balance = balance + ? WHERE customer = ?", (event.amount, event.customer))
        else:
            db.execute("INSERT OR IGNORE INTO payments VALUES (?, ?, 'refunded')", (event.order_id, event.amount))
