"""Moves the checkpoint only for events that mean something: the last one may never be over."""
FAILS = ("once", "behind", "All is quiet")


def project(db, event):
    """Take an event into the model, once."""
    with db:
        db.execute("BEGIN IMMEDIATE")
        if event.type != "renamed" and event.position > position(db):
            count(db, "totals", event)
            db.execute("REPLACE INTO checkpoint VALUES ('live', ?)", (event.position,))
