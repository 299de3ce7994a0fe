"""Recognises records by partition and offset. The producer's copy has another offset, so it looks new."""
FAILS = ("copies", "twice", "No fault was needed")


def handle(db, record):
    event, place = record.event, f"{record.partition}/{record.offset}"
    with db:
        if db.execute("INSERT OR IGNORE INTO seen (event_id) VALUES (?)", (place,)).rowcount:
            db.execute("UPDATE accounts SET balance = balance + ? WHERE account = ?", (event.amount, event.account))
    record.commit()
