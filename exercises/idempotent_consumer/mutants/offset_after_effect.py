"""Offset and row in a transaction after the effect: after a crash in between the record comes again and looks new."""
FAILS = ("offset", "twice", "after COMMIT, before INSERT seen")


def apply(db, record):
    event = record.event
    if not db.execute("SELECT 1 FROM seen WHERE event_id = ?", (event.id,)).fetchone():
        with db:
            db.execute("UPDATE accounts SET balance = balance + ? WHERE account = ?", (event.amount, event.account))
    with db:
        db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (event.id, record.partition, record.offset))
        db.execute("INSERT INTO offsets VALUES (?, ?) ON CONFLICT DO UPDATE SET next = MAX(next, excluded.next)",
                   (record.partition, record.offset + 1))
