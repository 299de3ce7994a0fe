"""Commits the offset before it charges."""
FAILS = ("pay", "missing", "after commit offset")


def pay(db, gateway, record):
    event = record.event
    record.commit()
    gateway.charge(event.id, event.account, event.amount)
