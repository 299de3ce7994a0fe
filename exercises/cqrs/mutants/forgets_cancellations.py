"""Knows only events that add."""
FAILS = ("once", "wrong", "the events up to there make")


def count(db, table, event):
    """An event's effect on one table of totals."""
    sign = {"placed": 1}.get(event.type, 0)
    if sign:
        db.execute(f"INSERT OR IGNORE INTO {table} VALUES (?, 0, 0)", (event.customer,))
        db.execute(f"UPDATE {table} SET orders = orders + ?, spent = spent + ? WHERE customer = ?",
                   (sign, sign * event.amount, event.customer))
