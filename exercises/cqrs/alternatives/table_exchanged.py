"""The rebuild fills a new table and renames it; the live checkpoint is left to whoever is further."""


def rebuild(db, log):
    db.execute("DROP TABLE IF EXISTS fresh")
    db.execute("CREATE TABLE fresh (customer TEXT PRIMARY KEY, orders INTEGER, spent INTEGER)")
    done = 0
    while True:
        for event in log.read(done, 3):
            with db:
                count(db, "fresh", event)
            done = event.position
        db.execute("BEGIN IMMEDIATE")
        if position(db) <= done and not log.read(done):
            db.execute("DROP TABLE totals")
            db.execute("ALTER TABLE fresh RENAME TO totals")
            db.execute("REPLACE INTO checkpoint VALUES ('live', ?)", (done,))
            db.execute("COMMIT")
            return
        db.execute("ROLLBACK")


def lag(db, log, now):
    at, waiting = position(db), []
    while batch := log.read(at, 5):
        waiting, at = waiting + batch, batch[-1].position
    return [len(waiting), max([0, *(now - event.at for event in waiting)])]
