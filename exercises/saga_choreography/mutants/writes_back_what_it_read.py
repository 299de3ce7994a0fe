"""Counts in Python: what another instance took in between comes back."""
FAILS = ("rivals", "unpaid", ", only ")


def stock(db, event):
    free, = db.execute("SELECT free FROM stock WHERE sku = ?", (event.sku,)).fetchone()
    with db:
        if event.type == "OrderPlaced":
            new = db.execute("INSERT OR IGNORE INTO reservations VALUES (?, ?, 'reserved')",
                             (event.order_id, event.sku)).rowcount
            if not new:
                return
            if db.execute("UPDATE stock SET free = ? WHERE sku = ? AND free > 0",
                          (free - 1, event.sku)).rowcount:
                emit(db, event, "StockReserved")
            else:
                db.execute("UPDATE reservations SET state = 'rejected' WHERE order_id = ?", (event.order_id,))
                emit(db, event, "StockRejected")
        elif db.execute("UPDATE reservations SET state = 'released' WHERE order_id = ? AND state = 'reserved'",
                        (event.order_id,)).rowcount:
            db.execute("UPDATE stock SET free = free + 1 WHERE sku = ?", (event.sku,))
        else:  # nothing to undo, or not yet: then it must never be done
            db.execute("INSERT OR IGNORE INTO reservations VALUES (?, ?, 'released')", (event.order_id, event.sku))
