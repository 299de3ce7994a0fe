"""Looks at the checkpoint before the transaction: a rival has come between."""
FAILS = ("once", "wrong", "paused before BEGIN")


def project(db, event):
    if event.position > position(db):
        with db:
            db.execute("BEGIN IMMEDIATE")
            count(db, "totals", event)
            db.execute("REPLACE INTO checkpoint VALUES ('live', ?)", (event.position,))
