"""Asks once more before it gives up nothing: undoes every step it may have tried, tried or not, in reverse."""


def forward(db, services, order_id, saga):
    """As little bookkeeping as possible: what goes wrong before the pivot goes back from the last compensable step."""
    step, direction, tries = saga
    trying = (step, direction, tries + 1)
    if not become(db, order_id, saga, trying):
        return
    compensable = len(UNDO) - 1
    try:
        getattr(services, STEPS[step])(f"{STEPS[step]} {order_id}", order_id)
    except Rejected:
        become(db, order_id, trying, (compensable, "back", 0))
        return
    except NoAnswer:
        if step > compensable or tries + 1 < PATIENCE:
            raise
        become(db, order_id, trying, (compensable, "back", 0))
        return
    become(db, order_id, trying, (step + 1, "forward", 0))
