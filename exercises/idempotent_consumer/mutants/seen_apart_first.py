"""The row in `seen` first, in a transaction of its own.

If the consumer dies after that commit, the event comes again, looks known, and never takes effect.
"""
FAILS = ("once", "missing", "after COMMIT, before UPDATE accounts")


def handle(db, record):
    event = record.event
    with db:
        new = db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)",
                         (event.id, record.partition, record.offset)).rowcount
    if new:
        with db:
            db.execute("UPDATE accounts SET balance = balance + ? WHERE account = ?", (event.amount, event.account))
    record.commit()
