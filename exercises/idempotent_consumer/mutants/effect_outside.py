"""Autocommit: every statement is a transaction of its own, so the effect stands outside the one with `seen`."""
FAILS = ("once", "twice", "after UPDATE accounts, before INSERT seen")


def handle(db, record):
    event = record.event
    db.isolation_level = None
    if not db.execute("SELECT 1 FROM seen WHERE event_id = ?", (event.id,)).fetchone():
        db.execute("UPDATE accounts SET balance = balance + ? WHERE account = ?", (event.amount, event.account))
        db.execute("INSERT INTO seen VALUES (?, ?, ?)", (event.id, record.partition, record.offset))
    record.commit()
