"""The offset in a transaction before the effect: a crash in between skips the record."""
FAILS = ("offset", "missing", "after COMMIT, before INSERT seen")


def apply(db, record):
    event = record.event
    with db:
        db.execute("INSERT INTO offsets VALUES (?, ?) ON CONFLICT DO UPDATE SET next = MAX(next, excluded.next)",
                   (record.partition, record.offset + 1))
    with db:
        if db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)",
                      (event.id, record.partition, record.offset)).rowcount:
            db.execute("UPDATE accounts SET balance = balance + ? WHERE account = ?", (event.amount, event.account))
