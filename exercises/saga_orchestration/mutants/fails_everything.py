"""Never tries: an order that has failed leaves nothing behind."""
FAILS = ("steps", "needless", "no service refused it")


def start(db, services, order):
    with db:
        db.execute("INSERT OR IGNORE INTO orders VALUES (?, ?, ?, 'failed')", order)
