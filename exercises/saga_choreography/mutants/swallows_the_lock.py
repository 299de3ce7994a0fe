"""Takes a locked database for nothing to do: the event is acknowledged and never comes again."""
FAILS = ("rivals", "stranded", "some service kept silent")

import sqlite3


def stock(db, event):
    try:
        with db:
            if event.type == "OrderPlaced":
                new = db.execute("INSERT OR IGNORE INTO reservations VALUES (?, ?, 'reserved')",
                                 (event.order_id, event.sku)).rowcount
                if not new:
                    return
                if db.execute("UPDATE stock SET free = free - 1 WHERE sku = ? AND free > 0", (event.sku,)).rowcount:
                    emit(db, event, "StockReserved")
                else:
                    db.execute("UPDATE reservations SET state = 'rejected' WHERE order_id = ?", (event.order_id,))
                    emit(db, event, "StockRejected")
            elif db.execute("UPDATE reservations SET state = 'released' WHERE order_id = ? AND state = 'reserved'",
                            (event.order_id,)).rowcount:
                db.execute("UPDATE stock SET free = free + 1 WHERE sku = ?", (event.sku,))
            else:  # nothing to undo, or not yet: then it must never be done
                db.execute("INSERT OR IGNORE INTO reservations VALUES (?, ?, 'released')", (event.order_id, event.sku))
    except sqlite3.OperationalError:
        pass
