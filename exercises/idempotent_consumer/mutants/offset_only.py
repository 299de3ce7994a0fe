"""Effect and offset in one transaction, and no look at the event: right for every crash, wrong for a copy."""
FAILS = ("offset", "twice", "No fault was needed")


def apply(db, record):
    event = record.event
    if record.offset < start(db, record.partition):
        return
    with db:
        db.execute("UPDATE accounts SET balance = balance + ? WHERE account = ?", (event.amount, event.account))
        db.execute("INSERT INTO offsets VALUES (?, ?) ON CONFLICT DO UPDATE SET next = MAX(next, excluded.next)",
                   (record.partition, record.offset + 1))


def start(db, partition):
    row = db.execute("SELECT next FROM offsets WHERE partition = ?", (partition,)).fetchone()
    return row[0] if row else 0
