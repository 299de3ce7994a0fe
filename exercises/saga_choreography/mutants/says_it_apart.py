"""Does it in one transaction and says so in the next: a dual write inside one database."""
FAILS = ("crash", "unfinished", "died after COMMIT, before INSERT outbox")


def stock(db, event):
    with db:
        if event.type == "OrderPlaced":
            new = db.execute("INSERT OR IGNORE INTO reservations VALUES (?, ?, 'reserved')",
                             (event.order_id, event.sku)).rowcount
            if not new:
                return
            taken = db.execute("UPDATE stock SET free = free - 1 WHERE sku = ? AND free > 0", (event.sku,)).rowcount
            if not taken:
                db.execute("UPDATE reservations SET state = 'rejected' WHERE order_id = ?", (event.order_id,))
        elif db.execute("UPDATE reservations SET state = 'released' WHERE order_id = ? AND state = 'reserved'",
                        (event.order_id,)).rowcount:
            db.execute("UPDATE stock SET free = free + 1 WHERE sku = ?", (event.sku,))
        else:
            db.execute("INSERT OR IGNORE INTO reservations VALUES (?, ?, 'released')", (event.order_id, event.sku))
    if event.type == "OrderPlaced":
        with db:
            emit(db, event, "StockReserved" if taken else "StockRejected")
