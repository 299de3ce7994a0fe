"""Takes a missing answer for success, and commits."""
from contextlib import suppress

from exercises.idempotent_consumer import NoAnswer

FAILS = ("pay", "missing", "never reached the gateway")


def pay(db, gateway, record):
    event = record.event
    with suppress(NoAnswer):
        gateway.charge(event.id, event.account, event.amount)
    record.commit()
