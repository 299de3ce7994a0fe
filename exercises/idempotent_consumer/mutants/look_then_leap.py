"""Looks first whether the event is known, and books it whatever has happened since: the other consumer has, too."""
FAILS = ("handover", "twice", "before UPDATE accounts")


def handle(db, record):
    event = record.event
    if not db.execute("SELECT 1 FROM seen WHERE event_id = ?", (event.id,)).fetchone():
        with db:
            db.execute("UPDATE accounts SET balance = balance + ? WHERE account = ?", (event.amount, event.account))
            db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (event.id, record.partition, record.offset))
    record.commit()
