"""Takes the last step for a courtesy: done, with or without a receipt."""
FAILS = ("answers", "torn", "without its mail")


def forward(db, services, order_id, saga):
    """Ask for the next step, and write down what came of it."""
    step, direction, tries = saga
    trying = (step, direction, tries + 1)
    if not become(db, order_id, saga, trying):
        return
    try:
        if STEPS[step] == "mail":
            become(db, order_id, trying, (step + 1, "forward", 0))
        getattr(services, STEPS[step])(f"{STEPS[step]} {order_id}", order_id)
        become(db, order_id, trying, (step + 1, "forward", 0))
    except Rejected:
        become(db, order_id, trying, (step - 1, "back", 0))
    except NoAnswer:
        if STEPS[step] not in UNDO or tries + 1 < PATIENCE:
            raise
        become(db, order_id, trying, (step, "back", 0))  # from this step on: it may have been carried out
