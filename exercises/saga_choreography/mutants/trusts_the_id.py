"""Recognises a repetition by the id of the event alone: the same no comes with another one."""
FAILS = ("stuck", "impossible", "to orders was lost")


def stock(db, event):
    with db:
        if not db.execute("INSERT OR IGNORE INTO inbox VALUES (?)", (event.id,)).rowcount:
            return
        state = db.execute("SELECT state FROM reservations WHERE order_id = ?", (event.order_id,)).fetchone()
        if event.type != "OrderPlaced":
            db.execute("INSERT OR IGNORE INTO reservations VALUES (?, ?, 'released')", (event.order_id, event.sku))
            if state == ("reserved",):
                db.execute("UPDATE stock SET free = free + 1 WHERE sku = ?", (event.sku,))
        elif state is None:
            taken = db.execute("UPDATE stock SET free = free - 1 WHERE sku = ? AND free > 0", (event.sku,)).rowcount
            db.execute("INSERT INTO reservations VALUES (?, ?, ?)",
                       (event.order_id, event.sku, "reserved" if taken else "rejected"))
            emit(db, event, "StockReserved" if taken else "StockRejected")
