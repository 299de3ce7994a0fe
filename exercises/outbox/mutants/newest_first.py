"""Publishes the newest row first: no fault needed, a customer's orders are announced backwards."""
from exercises.outbox import Event, NotConfirmed, Refused

FAILS = ("order", "inverted", "of the same customer")


def relay_once(db, broker):
    for position, *fields in db.execute("SELECT position, event_id, order_id, customer, amount FROM outbox"
                                        " WHERE state = 'waiting' ORDER BY position DESC").fetchall():
        try:
            broker.publish(Event(*fields)).wait()
        except (NotConfirmed, Refused):
            continue
        with db:
            db.execute("UPDATE outbox SET state = 'published' WHERE position = ?", (position,))
