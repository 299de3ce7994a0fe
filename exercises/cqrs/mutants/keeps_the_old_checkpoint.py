"""Exchanges the models and leaves the checkpoint where the old one was: what is in both counts twice."""
FAILS = ("rebuild", "wrong", "No fault was needed")


def rebuild(db, log):
    """Replace the model by one made from the whole log, in one moment."""
    with db:
        db.execute("DELETE FROM shadow")
    done = 0
    while True:
        events = log.read(done)
        with db:
            db.execute("BEGIN IMMEDIATE")
            for event in events:
                count(db, "shadow", event)
                done = event.position
            if not events and done >= position(db):
                db.execute("DELETE FROM totals")
                db.execute("INSERT INTO totals SELECT * FROM shadow")
                return
