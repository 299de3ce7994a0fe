"""Writes a tombstone, and reserves all the same: it recognises the event, not the order."""
FAILS = ("reordered", "leaked", "Of the ")


def stock(db, event):
    with db:
        if event.type == "OrderPlaced":
            if not db.execute("INSERT OR IGNORE INTO inbox VALUES (?)", (event.id,)).rowcount:
                return
            taken = db.execute("UPDATE stock SET free = free - 1 WHERE sku = ? AND free > 0", (event.sku,)).rowcount
            db.execute("INSERT OR IGNORE INTO reservations VALUES (?, ?, ?)",
                       (event.order_id, event.sku, "reserved" if taken else "rejected"))
            emit(db, event, "StockReserved" if taken else "StockRejected")
        elif db.execute("UPDATE reservations SET state = 'released' WHERE order_id = ? AND state = 'reserved'",
                        (event.order_id,)).rowcount:
            db.execute("UPDATE stock SET free = free + 1 WHERE sku = ?", (event.sku,))
        else:
            db.execute("INSERT OR IGNORE INTO reservations VALUES (?, ?, 'released')", (event.order_id, event.sku))
