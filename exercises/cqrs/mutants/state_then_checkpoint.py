"""The totals in one transaction, the checkpoint in the next: what lies between counts twice."""
FAILS = ("once", "wrong", "after COMMIT, before REPLACE checkpoint")


def project(db, event):
    if event.position > position(db):
        with db:
            count(db, "totals", event)
        with db:
            db.execute("REPLACE INTO checkpoint VALUES ('live', ?)", (event.position,))
