"""Keeps the last number of each account and ignores what is not newer.

An event that was overtaken by a later one is never newer: it is dropped as if it were a copy.
"""
FAILS = ("copies", "missing", "No fault was needed")


def handle(db, record):
    event = record.event
    with db:
        db.execute("CREATE TABLE IF NOT EXISTS last (account TEXT PRIMARY KEY, number INTEGER)")
        row = db.execute("SELECT number FROM last WHERE account = ?", (event.account,)).fetchone()
        if row is None or event.number > row[0]:
            db.execute("UPDATE accounts SET balance = balance + ? WHERE account = ?", (event.amount, event.account))
            db.execute("INSERT OR REPLACE INTO last VALUES (?, ?)", (event.account, event.number))
    record.commit()
