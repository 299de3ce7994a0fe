"""Writes down that it has charged, then charges: after a crash in between it believes what it wrote."""
FAILS = ("pay", "missing", "after COMMIT, before charge")


def pay(db, gateway, record):
    event = record.event
    with db:
        new = db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)",
                         (event.id, record.partition, record.offset)).rowcount
    if new:
        gateway.charge(event.id, event.account, event.amount)
    record.commit()
