"""Returns early for a copy and forgets to acknowledge it, so the broker delivers it for ever."""
FAILS = ("once", "unacked", "never acknowledged")


def handle(db, delivery):
    event = delivery.event
    if db.execute("SELECT 1 FROM inbox WHERE event_id = ?", (event.id,)).fetchone():
        return
    with db:
        db.execute("INSERT INTO inbox VALUES (?)", (event.id,))
        db.execute("UPDATE spent SET total = total + ? WHERE customer = ?", (event.amount, event.customer))
    delivery.ack()
