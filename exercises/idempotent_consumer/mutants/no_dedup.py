"""Commits the offset after the effect and recognises nothing: at least once, so at times twice."""
FAILS = ("copies", "twice", "No fault was needed")


def handle(db, record):
    event = record.event
    with db:
        db.execute("UPDATE accounts SET balance = balance + ? WHERE account = ?", (event.amount, event.account))
    record.commit()
