"""Returns at once when it knows the event, without committing: a copy at the end of the log is read for ever."""
FAILS = ("copies", "behind", "would begin at offset")


def handle(db, record):
    event = record.event
    if db.execute("SELECT 1 FROM seen WHERE event_id = ?", (event.id,)).fetchone():
        return
    with db:
        if db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)",
                      (event.id, record.partition, record.offset)).rowcount:
            db.execute("UPDATE accounts SET balance = balance + ? WHERE account = ?", (event.amount, event.account))
    record.commit()
