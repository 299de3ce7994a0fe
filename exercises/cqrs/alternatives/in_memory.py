"""Folds the whole log in memory and writes the result; the projector writes sums, not differences."""


def project(db, event):
    with db:
        db.execute("BEGIN EXCLUSIVE")
        if event.position <= position(db):
            return
        if event.type in ("placed", "cancelled"):
            sign = 1 if event.type == "placed" else -1
            orders, spent = db.execute("SELECT COALESCE(SUM(orders), 0), COALESCE(SUM(spent), 0) FROM totals"
                                       " WHERE customer = ?", (event.customer,)).fetchone()
            db.execute("REPLACE INTO totals VALUES (?, ?, ?)",
                       (event.customer, orders + sign, spent + sign * event.amount))
        db.execute("INSERT OR REPLACE INTO checkpoint VALUES ('live', ?)", (event.position,))


def rebuild(db, log):
    with db:
        db.execute("BEGIN EXCLUSIVE")
        totals, at = {}, 0
        for event in log.read(0, 10**9):
            sign, at = {"placed": 1, "cancelled": -1}.get(event.type, 0), event.position
            orders, spent = totals.get(event.customer, (0, 0))
            totals[event.customer] = orders + sign, spent + sign * event.amount
        db.execute("DELETE FROM totals")
        db.executemany("INSERT INTO totals VALUES (?, ?, ?)", [(who, *sums) for who, sums in totals.items()])
        db.execute("INSERT OR REPLACE INTO checkpoint VALUES ('live', ?)", (at,))
