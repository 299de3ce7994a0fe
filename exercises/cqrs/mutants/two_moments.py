"""Empties the model in one transaction and fills it in the next."""
FAILS = ("rebuild", "wrong", "paused after COMMIT, before INSERT totals (step 27)")


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
                db.commit()
                db.execute("INSERT INTO totals SELECT * FROM shadow")
                db.execute("REPLACE INTO checkpoint VALUES ('live', ?)", (done,))
                return
