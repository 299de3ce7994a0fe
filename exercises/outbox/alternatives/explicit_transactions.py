"""Explicit BEGIN and COMMIT, random ids drawn once, rows deleted once published, one held-back list in SQL order."""
import uuid

from exercises.outbox import Event, NotConfirmed, Refused


def place_order(db, broker, order):
    db.execute("BEGIN IMMEDIATE")
    try:
        db.execute("INSERT INTO outbox (event_id, order_id, customer, amount) VALUES (?, ?, ?, ?)",
                   (str(uuid.uuid4()), *order))
        db.execute("INSERT INTO orders VALUES (:id, :customer, :amount)", order._asdict())
        db.execute("COMMIT")
    except Exception:
        db.execute("ROLLBACK")
        raise


def relay_once(db, broker):
    waiting = db.execute("SELECT event_id, order_id, customer, amount FROM outbox"
                         " WHERE state = 'waiting' ORDER BY position")
    held = []
    for event in [Event(*row) for row in waiting]:
        if event.customer in held:
            continue
        try:
            broker.publish(event).wait()
            db.execute("DELETE FROM outbox WHERE event_id = ?", (event.id,))
            db.commit()
        except (NotConfirmed, Refused):
            held.append(event.customer)


def handle(db, delivery):
    event = delivery.event
    db.execute("BEGIN IMMEDIATE")
    known = db.execute("SELECT COUNT(*) FROM inbox WHERE event_id = ?", (event.id,)).fetchone()[0]
    if not known:
        db.execute("UPDATE spent SET total = total + ? WHERE customer = ?", (event.amount, event.customer))
        db.execute("INSERT INTO inbox VALUES (?)", (event.id,))
    db.execute("COMMIT")
    delivery.ack()
