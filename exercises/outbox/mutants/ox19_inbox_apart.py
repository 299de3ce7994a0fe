"""OX19: the effect and the inbox row in separate transactions.

If the consumer dies between the two commits, the event comes again and looks new.
"""
FAILS = ("once", "twice", "after COMMIT, before INSERT inbox")


def handle(db, delivery):
    event = delivery.event
    if not db.execute("SELECT 1 FROM inbox WHERE event_id = ?", (event.id,)).fetchone():
        with db:
            db.execute("UPDATE spent SET total = total + ? WHERE customer = ?", (event.amount, event.customer))
        with db:
            db.execute("INSERT INTO inbox VALUES (?)", (event.id,))
    delivery.ack()
