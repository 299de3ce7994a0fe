"""Raises for a type of event that it does not know."""
FAILS = ("once", "error", "KeyError")


def count(db, table, event):
    """An event's effect on one table of totals."""
    sign = {"placed": 1, "cancelled": -1}[event.type]
    if sign:
        db.execute(f"INSERT OR IGNORE INTO {table} VALUES (?, 0, 0)", (event.customer,))
        db.execute(f"UPDATE {table} SET orders = orders + ?, spent = spent + ? WHERE customer = ?",
                   (sign, sign * event.amount, event.customer))
