"""Waits for the next number: the one that a rolled-back writer took along never comes."""
FAILS = ("once", "behind", "is at position")


def project(db, event):
    """Take an event into the model, once."""
    with db:
        db.execute("BEGIN IMMEDIATE")
        if event.position == position(db) + 1:
            count(db, "totals", event)
            db.execute("REPLACE INTO checkpoint VALUES ('live', ?)", (event.position,))
