"""Gives up at the pivot as well, after three times."""
FAILS = ("answers", "taken_back", "was shipped and there was a")


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
        if STEPS[step] == "mail" or tries + 1 < PATIENCE:
            raise
        become(db, order_id, trying, (min(step, 1), "back", 0))
