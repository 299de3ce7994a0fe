"""Recognises copies, and never commits an offset: every restart reads everything from the beginning."""
FAILS = ("once", "behind", "would begin at offset 0")


def handle(db, record):
    event = record.event
    with db:
        if db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)",
                      (event.id, record.partition, record.offset)).rowcount:
            db.execute("UPDATE accounts SET balance = balance + ? WHERE account = ?", (event.amount, event.account))
