"""The key is made of account and amount: the second fee of the same amount is taken for a copy of the first."""
FAILS = ("pay", "missing", "No fault was needed")


def pay(db, gateway, record):
    event = record.event
    gateway.charge(f"{event.account}/{event.amount}", event.account, event.amount)
    record.commit()
