"""Takes no answer for a no, at the pivot too: the goods are on their way and the money goes back."""
FAILS = ("answers", "needless", "never arrived")


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
        become(db, order_id, trying, (min(step, 1), "back", 0))
