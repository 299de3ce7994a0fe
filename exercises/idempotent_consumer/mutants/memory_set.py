"""Remembers what it has seen in a set, which dies with it and which the other consumer cannot look into."""
FAILS = ("once", "twice", "before commit offset")

seen = set()


def handle(db, record):
    event = record.event
    if event.id not in seen:
        with db:
            db.execute("UPDATE accounts SET balance = balance + ? WHERE account = ?", (event.amount, event.account))
        seen.add(event.id)
    record.commit()
