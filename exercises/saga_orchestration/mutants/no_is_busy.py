"""Asks a service that has said no again and again."""
FAILS = ("steps", "unfinished", "is pending for ever")


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
        raise Busy(STEPS[step]) from None
    except NoAnswer:
        if STEPS[step] not in UNDO or tries + 1 < PATIENCE:
            raise
        become(db, order_id, trying, (step, "back", 0))  # from this step on: it may have been carried out
