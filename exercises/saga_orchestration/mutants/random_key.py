"""A new key for each try: the service cannot tell a repetition from a second order."""
FAILS = ("crash", "twice", "died")

import uuid


def forward(db, services, order_id, saga):
    """Ask for the next step, and write down what came of it."""
    step, direction, tries = saga
    trying = (step, direction, tries + 1)
    if not become(db, order_id, saga, trying):
        return
    try:
        getattr(services, STEPS[step])(str(uuid.uuid4()), order_id)
        become(db, order_id, trying, (step + 1, "forward", 0))
    except Rejected:
        become(db, order_id, trying, (step - 1, "back", 0))
    except NoAnswer:
        if STEPS[step] not in UNDO or tries + 1 < PATIENCE:
            raise
        become(db, order_id, trying, (step, "back", 0))  # from this step on: it may have been carried out
