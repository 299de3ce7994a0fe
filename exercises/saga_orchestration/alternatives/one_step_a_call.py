"""A table of transitions; `resume` takes each saga one step further, so that no saga waits for another."""


FORWARD = {"0": ("reserve", "1"), "1": ("charge", "2"), "2": ("ship", "3"), "3": ("mail", "done")}
BACK = {"undo 1": ("refund", "charge", "undo 0"), "undo 0": ("release", "reserve", "failed")}
ON_NO = {"0": "failed", "1": "undo 0", "2": "undo 1"}
IN_DOUBT = {"0": "undo 0", "1": "undo 1"}


def start(db, services, order):
    with db:
        db.execute("BEGIN IMMEDIATE")
        if db.execute("SELECT COUNT(*) FROM orders WHERE order_id = ?", (order.id,)).fetchone()[0] == 0:
            free, = db.execute("SELECT most - held FROM credit WHERE customer = ?", (order.customer,)).fetchone()
            status = "pending" if free >= order.amount else "failed"
            db.execute("INSERT INTO orders VALUES (?, ?, ?, ?)", (order.id, order.customer, order.amount, status))
            if status == "pending":
                db.execute("UPDATE credit SET held = held + ? WHERE customer = ?", (order.amount, order.customer))
                db.execute("INSERT INTO sagas (order_id, direction, tries) VALUES (?, '0', 0)", (order.id,))
    while one_step(db, services, order.id):
        pass


def resume(db, services):
    open_ones = [order_id for (order_id,) in db.execute("SELECT order_id FROM sagas").fetchall()]
    while open_ones:
        open_ones = [each for each in open_ones if stepped(db, services, each)]


def stepped(db, services, order_id):
    try:
        return one_step(db, services, order_id)
    except (Busy, NoAnswer):
        return False


def one_step(db, services, order_id):
    row = db.execute("SELECT direction, tries FROM sagas WHERE order_id = ?", (order_id,)).fetchone()
    if row is None:
        return False
    state, tries = row
    if state in BACK:
        undo, what, following = BACK[state]
        getattr(services, undo)(f"{order_id}/{what}", order_id)
        return go(db, order_id, state, following)
    name, following = FORWARD[state]
    with db:
        db.execute("UPDATE sagas SET tries = tries + 1 WHERE order_id = ? AND direction = ?", (order_id, state))
    try:
        getattr(services, name)(f"{order_id}/{name}", order_id)
    except Rejected:
        return go(db, order_id, state, ON_NO[state])
    except NoAnswer:
        if state in IN_DOUBT and tries >= 2:
            return go(db, order_id, state, IN_DOUBT[state])
        raise
    return go(db, order_id, state, following)


def go(db, order_id, old, new):
    """From one state to the next unless somebody else was quicker; True, since there is something to look at again."""
    with db:
        moved = db.execute("UPDATE sagas SET direction = ?, tries = 0 WHERE order_id = ? AND direction = ?",
                           (new, order_id, old)).rowcount
        if moved and new in ("done", "failed"):
            db.execute("DELETE FROM sagas WHERE order_id = ?", (order_id,))
            db.execute("UPDATE orders SET status = ? WHERE order_id = ?", (new, order_id))
            customer, amount = db.execute("SELECT customer, amount FROM orders WHERE order_id = ?",
                                          (order_id,)).fetchone()
            db.execute("UPDATE credit SET held = held - ? WHERE customer = ?", (amount, customer))
    return True
