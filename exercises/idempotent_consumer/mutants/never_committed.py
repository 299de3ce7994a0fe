"""Forgets to commit the transaction, and commits the offset: everything is rolled back when the call returns."""
FAILS = ("once", "missing", "No fault was needed")


def handle(db, record):
    event = record.event
    if db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (event.id, record.partition, record.offset)).rowcount:
        db.execute("UPDATE accounts SET balance = balance + ? WHERE account = ?", (event.amount, event.account))
    record.commit()
