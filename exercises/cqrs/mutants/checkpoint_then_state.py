"""The checkpoint first: what lies between never counts."""
FAILS = ("once", "wrong", "after COMMIT, before INSERT totals")


def project(db, event):
    if event.position > position(db):
        with db:
            db.execute("REPLACE INTO checkpoint VALUES ('live', ?)", (event.position,))
        with db:
            count(db, "totals", event)
