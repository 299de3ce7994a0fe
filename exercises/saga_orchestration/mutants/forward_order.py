"""Undoes in the order in which it did: the goods are free while the money is not."""
FAILS = ("steps", "out_of_order", "goods before its money")


def advance(db, services, order_id):
    """One saga, step by step in its direction, until it has ended."""
    while saga := db.execute("SELECT step, direction, tries FROM sagas WHERE order_id = ?", (order_id,)).fetchone():
        step, direction, tries = saga
        if direction == "back" and step < 0:
            end(db, order_id, saga, "failed")
        elif direction == "back":
            for name in STEPS[:step + 1]:
                getattr(services, UNDO[name])(f"{name} {order_id}", order_id)
            become(db, order_id, saga, (-1, "back", 0))
        elif step == len(STEPS):
            end(db, order_id, saga, "done")
        else:
            forward(db, services, order_id, saga)
