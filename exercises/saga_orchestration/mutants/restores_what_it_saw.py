"""Writes back the amount that it read earlier: what another saga did in between is gone."""
FAILS = ("credit", "overspent", "are still held")


def end(db, order_id, saga, status):
    """Close the saga and let its amount go, once."""
    customer, amount, held = db.execute("SELECT customer, amount, held FROM orders JOIN credit USING (customer)"
                                        " WHERE order_id = ?", (order_id,)).fetchone()
    with db:
        if db.execute("DELETE FROM sagas WHERE order_id = ?", (order_id,)).rowcount:
            db.execute("UPDATE credit SET held = ? WHERE customer = ?", (held - amount, customer))
            db.execute("UPDATE orders SET status = ? WHERE order_id = ?", (status, order_id))
