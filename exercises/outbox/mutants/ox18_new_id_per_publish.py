"""OX18: a new random id for each publish.

After a second try the two copies look like two events, and no inbox can tell.
"""
import uuid

from exercises.outbox import Event, NotConfirmed, Refused

FAILS = ("relay", "renamed", "nobody can recognise the copy")


def relay_once(db, broker):
    held = set()
    for position, *fields in db.execute("SELECT position, order_id, customer, amount FROM outbox"
                                        " WHERE state = 'waiting' ORDER BY position").fetchall():
        event = Event(str(uuid.uuid4()), *fields)
        if event.customer in held:
            continue
        try:
            broker.publish(event).wait()
        except (NotConfirmed, Refused):
            held.add(event.customer)
            continue
        with db:
            db.execute("UPDATE outbox SET state = 'published' WHERE position = ?", (position,))
