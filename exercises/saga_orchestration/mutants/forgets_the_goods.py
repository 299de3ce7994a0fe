"""Gives the money back and forgets the goods."""
FAILS = ("steps", "leaked", "its reserve is still")


def advance(db, services, order_id):
    """One saga, step by step in its direction, until it has ended."""
    while saga := db.execute("SELECT step, direction, tries FROM sagas WHERE order_id = ?", (order_id,)).fetchone():
        step, direction, tries = saga
        if direction == "back" and step < 1:
            end(db, order_id, saga, "failed")
        elif direction == "back":
            getattr(services, UNDO[STEPS[step]])(f"{STEPS[step]} {order_id}", order_id)
            become(db, order_id, saga, (step - 1, "back", 0))
        elif step == len(STEPS):
            end(db, order_id, saga, "done")
        else:
            forward(db, services, order_id, saga)
