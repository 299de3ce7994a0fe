"""Publishes and never marks: every round of the relay announces everything again, with no fault to excuse it."""
from exercises.outbox import Event, NotConfirmed, Refused

FAILS = ("relay", "duplicate", "0 faults excuse 0")


def relay_once(db, broker):
    for fields in db.execute("SELECT event_id, order_id, customer, amount FROM outbox ORDER BY position").fetchall():
        try:
            broker.publish(Event(*fields)).wait()
        except (NotConfirmed, Refused):
            return
