"""Calls every order done of which it hears."""
FAILS = ("flow", "torn", "is done, but it was never shipped")


def orders(db, event):
    with db:
        db.execute("UPDATE orders SET status = ? WHERE order_id = ? AND status = 'pending'",
                   ("done", event.order_id))
