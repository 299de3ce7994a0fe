"""Lets the amount go without asking whether the saga was still there."""
FAILS = ("rivals", "overspent", "and -")


def end(db, order_id, saga, status):
    """Close the saga and let its amount go, once."""
    with db:
        if db.execute("DELETE FROM sagas WHERE order_id = ?", (order_id,)):
            db.execute("UPDATE credit SET held = held - (SELECT amount FROM orders WHERE order_id = ?)"
                       " WHERE customer = (SELECT customer FROM orders WHERE order_id = ?)", (order_id, order_id))
            db.execute("UPDATE orders SET status = ? WHERE order_id = ?", (status, order_id))
