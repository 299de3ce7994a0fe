"""An inbox in front of everything, explicit transactions, and a table of what follows from which state."""

UNDONE = {None: "never", "reserved": "released", "taken": "refunded"}


def first_time(db, event):
    """Take the write lock, and say whether this event is new."""
    db.execute("BEGIN IMMEDIATE")
    return db.execute("INSERT OR IGNORE INTO inbox VALUES (?)", (event.id,)).rowcount == 1


def state(db, table, event):
    row = db.execute(f"SELECT state FROM {table} WHERE order_id = ?", (event.order_id,)).fetchone()
    return row and row[0]


def stock(db, event):
    with db:
        now = first_time(db, event) and state(db, "reservations", event)
        if now is False:
            return
        if event.type == "OrderPlaced" and now is None:
            free, = db.execute("SELECT free FROM stock WHERE sku = ?", (event.sku,)).fetchone()
            db.execute("UPDATE stock SET free = ? WHERE sku = ?", (max(free - 1, 0), event.sku))
            db.execute("INSERT INTO reservations VALUES (?, ?, ?)",
                       (event.order_id, event.sku, "reserved" if free else "refused"))
            emit(db, event, "StockReserved" if free else "StockRejected")
        elif event.type != "OrderPlaced" and now in UNDONE:
            db.execute("INSERT OR REPLACE INTO reservations VALUES (?, ?, ?)", (event.order_id, event.sku, UNDONE[now]))
            if now == "reserved":
                db.execute("UPDATE stock SET free = free + 1 WHERE sku = ?", (event.sku,))


def payment(db, event):
    with db:
        now = first_time(db, event) and state(db, "payments", event)
        if now is False:
            return
        if event.type == "StockReserved" and now is None:
            balance, = db.execute("SELECT balance FROM accounts WHERE customer = ?", (event.customer,)).fetchone()
            enough = balance >= event.amount
            db.execute("INSERT INTO payments VALUES (?, ?, ?)",
                       (event.order_id, event.amount, "taken" if enough else "refused"))
            if enough:
                db.execute("UPDATE accounts SET balance = ? WHERE customer = ?",
                           (balance - event.amount, event.customer))
            emit(db, event, "PaymentTaken" if enough else "PaymentRejected")
        elif event.type != "StockReserved" and now in UNDONE:
            db.execute("INSERT OR REPLACE INTO payments VALUES (?, ?, ?)", (event.order_id, event.amount, UNDONE[now]))
            if now == "taken":
                db.execute("UPDATE accounts SET balance = balance + ? WHERE customer = ?",
                           (event.amount, event.customer))
