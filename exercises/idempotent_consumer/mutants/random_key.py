"""A new random key for each try: the gateway cannot know that it is the same charge."""
import uuid

FAILS = ("pay", "twice", "before answer")


def pay(db, gateway, record):
    event = record.event
    gateway.charge(str(uuid.uuid4()), event.account, event.amount)
    record.commit()
