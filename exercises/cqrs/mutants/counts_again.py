"""Trusts the log to deliver once."""
FAILS = ("once", "wrong", "were delivered once more")


def project(db, event):
    """Take an event into the model, once."""
    with db:
        db.execute("BEGIN IMMEDIATE")
        count(db, "totals", event)
        db.execute("REPLACE INTO checkpoint VALUES ('live', ?)", (event.position,))
