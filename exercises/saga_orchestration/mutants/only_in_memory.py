"""Keeps the sagas in a dictionary: a restarted worker has never heard of them."""
FAILS = ("crash", "overspent", "never more than 0 were held")

SAGAS = {}


def start(db, services, order):
    with db:
        db.execute("INSERT OR IGNORE INTO orders VALUES (?, ?, ?, 'pending')", order)
    SAGAS.setdefault(order.id, 0)
    advance(db, services, order.id)


def resume(db, services):
    for order_id in list(SAGAS):
        try:
            advance(db, services, order_id)
        except (Busy, NoAnswer):
            continue


def advance(db, services, order_id):
    status = "done"
    while SAGAS.get(order_id, 4) < 4:
        name = STEPS[SAGAS[order_id]]
        try:
            getattr(services, name)(f"{name} {order_id}", order_id)
            SAGAS[order_id] += 1
        except Rejected:
            for done in reversed(STEPS[:min(SAGAS[order_id], 2)]):
                getattr(services, UNDO[done])(f"{done} {order_id}", order_id)
            status, SAGAS[order_id] = "failed", 4
    if SAGAS.pop(order_id, None):
        with db:
            db.execute("UPDATE orders SET status = ? WHERE order_id = ?", (status, order_id))
