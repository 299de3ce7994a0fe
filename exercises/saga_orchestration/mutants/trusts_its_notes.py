"""Gives up without undoing the request that nobody answered: only what was confirmed counts for it."""
FAILS = ("silence", "leaked", "its reserve is still")


def forward(db, services, order_id, saga):
    """Ask for the next step, and write down what came of it."""
    step, direction, tries = saga
    trying = (step, direction, tries + 1)
    if not become(db, order_id, saga, trying):
        return
    try:
        getattr(services, STEPS[step])(f"{STEPS[step]} {order_id}", order_id)
        become(db, order_id, trying, (step + 1, "forward", 0))
    except Rejected:
        become(db, order_id, trying, (step - 1, "back", 0))
    except NoAnswer:
        if STEPS[step] not in UNDO or tries + 1 < PATIENCE:
            raise
        become(db, order_id, trying, (step - 1, "back", 0))
