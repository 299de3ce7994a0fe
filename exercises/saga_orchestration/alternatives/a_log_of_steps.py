"""No cursor but a log: one row for everything decided or done, in a table of its own, which tells the state."""

LOG = "CREATE TABLE IF NOT EXISTS saga_log (order_id TEXT, note TEXT, PRIMARY KEY (order_id, note))"


def log(db, order_id, *notes):
    db.execute(LOG)
    return sum(db.execute("INSERT OR IGNORE INTO saga_log VALUES (?, ?)", (order_id, note)).rowcount for note in notes)


def notes(db, order_id):
    db.execute(LOG)
    return {note for (note,) in db.execute("SELECT note FROM saga_log WHERE order_id = ?", (order_id,)).fetchall()}


def start(db, services, order):
    db.execute(LOG)
    with db:
        db.execute("BEGIN IMMEDIATE")
        if not db.execute("SELECT 1 FROM orders WHERE order_id = ?", (order.id,)).fetchone():
            most, held = db.execute("SELECT most, held FROM credit WHERE customer = ?", (order.customer,)).fetchone()
            fits = held + order.amount <= most
            db.execute("INSERT INTO orders VALUES (?, ?, ?, ?)", (*order, "pending" if fits else "failed"))
            if fits:
                db.execute("UPDATE credit SET held = ? WHERE customer = ?", (held + order.amount, order.customer))
    carry_on(db, services, order.id)


def resume(db, services):
    for (order_id,) in db.execute("SELECT order_id FROM orders WHERE status = 'pending'").fetchall():
        try:
            carry_on(db, services, order_id)
        except (Busy, NoAnswer):
            pass


def carry_on(db, services, order_id):
    if db.execute("SELECT status FROM orders WHERE order_id = ?", (order_id,)).fetchone() != ("pending",):
        return
    known = notes(db, order_id)
    for name in ("reserve", "charge", "ship", "mail"):
        if "back" not in known and name not in known:
            ask(db, services, order_id, name)
            known = notes(db, order_id)
    if "back" in known:
        services.refund(order_id + " charge", order_id)
        services.release(order_id + " reserve", order_id)
    close(db, order_id, "failed" if "back" in known else "done")


def ask(db, services, order_id, name):
    """Every try and every outcome is a note; `back` and the pivot's success exclude each other."""
    tries = sum(note.startswith("try " + name) for note in notes(db, order_id))
    with db:
        log(db, order_id, f"try {name} {tries + 1}")
    try:
        getattr(services, name)(f"{order_id} {name}", order_id)
        with db:
            log(db, order_id, name)
    except Rejected:
        with db:
            log(db, order_id, "back")
    except NoAnswer:
        if tries < 2 or name not in ("reserve", "charge"):
            raise
        with db:
            db.execute("BEGIN IMMEDIATE")
            if name not in notes(db, order_id):
                log(db, order_id, "back")


def close(db, order_id, status):
    with db:
        db.execute("BEGIN IMMEDIATE")
        customer, amount, now = db.execute("SELECT customer, amount, status FROM orders WHERE order_id = ?",
                                           (order_id,)).fetchone()
        if now == "pending":
            db.execute("UPDATE orders SET status = ? WHERE order_id = ?", (status, order_id))
            db.execute("UPDATE credit SET held = held - ? WHERE customer = ?", (amount, customer))
