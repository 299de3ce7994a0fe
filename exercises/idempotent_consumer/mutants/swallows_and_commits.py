"""Catches every exception, logs it, and commits the offset: one locked database loses an event for good."""
import logging
import sqlite3

FAILS = ("once", "missing", "its own call committed the offset")


def handle(db, record):
    event = record.event
    try:
        with db:
            if db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)",
                          (event.id, record.partition, record.offset)).rowcount:
                db.execute("UPDATE accounts SET balance = balance + ? WHERE account = ?", (event.amount, event.account))
    except sqlite3.Error:
        logging.getLogger("consumer").debug("could not handle %s", event.id)
    record.commit()
