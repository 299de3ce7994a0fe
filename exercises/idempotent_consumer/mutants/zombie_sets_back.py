"""Overwrites the offset. A consumer that slept sets it back to where it was when it fell asleep."""
FAILS = ("offset", "behind", "was paused")


def apply(db, record):
    event = record.event
    with db:
        if db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)",
                      (event.id, record.partition, record.offset)).rowcount:
            db.execute("UPDATE accounts SET balance = balance + ? WHERE account = ?", (event.amount, event.account))
        db.execute("INSERT OR REPLACE INTO offsets VALUES (?, ?)", (record.partition, record.offset + 1))
