"""Lets go of the amount when the order is done, and forgets it when the order fails."""
FAILS = ("steps", "overspent", "are still held")


def end(db, order_id, saga, status):
    """Close the saga and let its amount go, once."""
    with db:
        if db.execute("DELETE FROM sagas WHERE order_id = ?", (order_id,)).rowcount:
            if status == "done":
                db.execute("UPDATE credit SET held = held - (SELECT amount FROM orders WHERE order_id = ?)"
                           " WHERE customer = (SELECT customer FROM orders WHERE order_id = ?)", (order_id, order_id))
            db.execute("UPDATE orders SET status = ? WHERE order_id = ?", (status, order_id))
