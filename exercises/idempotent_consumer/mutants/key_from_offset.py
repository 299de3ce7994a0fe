"""The key names the record, not the event: the producer's copy is charged as well."""
FAILS = ("pay", "twice", "No fault was needed")


def pay(db, gateway, record):
    event = record.event
    gateway.charge(f"{record.partition}/{record.offset}", event.account, event.amount)
    record.commit()
