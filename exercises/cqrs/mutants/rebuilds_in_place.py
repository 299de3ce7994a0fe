"""Empties the model and fills it again: readers see the half of it."""
FAILS = ("rebuild", "wrong", "paused after COMMIT, before INSERT totals (step 8)")


def rebuild(db, log):
    with db:
        db.execute("DELETE FROM totals")
    done = 0
    while events := log.read(done, 2):
        with db:
            for event in events:
                count(db, "totals", event)
                done = event.position
            db.execute("REPLACE INTO checkpoint VALUES ('live', MAX(?, ?))", (done, position(db)))
