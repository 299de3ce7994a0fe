"""One key for everything: the gateway refuses it for another charge."""
FAILS = ("pay", "error", "KeyReused")


def pay(db, gateway, record):
    event = record.event
    gateway.charge("consumer", event.account, event.amount)
    record.commit()
