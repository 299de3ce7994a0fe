"""The row in `seen` after the effect, in a transaction of its own.

If the consumer dies between the two commits, the event comes again and looks new.
"""
FAILS = ("once", "twice", "after COMMIT, before INSERT seen")


def handle(db, record):
    event = record.event
    if not db.execute("SELECT 1 FROM seen WHERE event_id = ?", (event.id,)).fetchone():
        with db:
            db.execute("UPDATE accounts SET balance = balance + ? WHERE account = ?", (event.amount, event.account))
        with db:
            db.execute("INSERT INTO seen VALUES (?, ?, ?)", (event.id, record.partition, record.offset))
    record.commit()
