"""OX24: `except: pass`, then mark.

The program was told that the broker did not confirm, and wrote "published" all the same.
"""
from exercises.outbox import Event

FAILS = ("relay", "lost", "although the broker did not confirm it")


def relay_once(db, broker):
    for position, *fields in db.execute("SELECT position, event_id, order_id, customer, amount FROM outbox"
                                        " WHERE state = 'waiting' ORDER BY position").fetchall():
        try:
            broker.publish(Event(*fields)).wait()
        except Exception:
            pass
        with db:
            db.execute("UPDATE outbox SET state = 'published' WHERE position = ?", (position,))
