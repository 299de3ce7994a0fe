"""Cursors and a class; a missing confirmation ends the round, a refused row is set aside as 'dead'."""
import sqlite3

from exercises.outbox import Event, NotConfirmed, Refused


class Outbox:
    def __init__(self, db):
        self.db = db

    def next(self):
        cursor = self.db.cursor()
        cursor.execute("SELECT event_id, order_id, customer, amount FROM outbox"
                       " WHERE state = 'waiting' ORDER BY position LIMIT 1")
        row = cursor.fetchone()
        return row and Event(*row)

    def set(self, event, state):
        self.db.cursor().execute("UPDATE outbox SET state = ? WHERE event_id = ?", (state, event.id))
        self.db.commit()


def place_order(db, broker, order):
    cursor = db.cursor()
    try:
        cursor.execute("INSERT INTO orders VALUES (?, ?, ?)", (order.id, order.customer, order.amount))
        cursor.execute("INSERT INTO outbox (event_id, order_id, customer, amount)"
                       " SELECT 'e-' || id, * FROM orders WHERE id = ?", (order.id,))
    except sqlite3.Error:
        db.rollback()
        raise
    db.commit()


def relay_once(db, broker):
    outbox = Outbox(db)
    while event := outbox.next():
        try:
            broker.publish(event).wait()
            outbox.set(event, "published")
        except Refused:
            outbox.set(event, "dead")
        except NotConfirmed:
            return


def handle(db, delivery):
    event = delivery.event
    try:
        with db:
            db.execute("UPDATE spent SET total = total + ? WHERE customer = ?", (event.amount, event.customer))
            db.execute("INSERT INTO inbox VALUES (?)", (event.id,))
    except sqlite3.IntegrityError:
        pass  # seen before: the transaction, effect included, was rolled back
    delivery.ack()
