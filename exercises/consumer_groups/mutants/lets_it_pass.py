"""The exception restarts the consumer at the poison, again and again: nothing behind it is ever read."""
FAILS = ("retry", "stubborn", "3 times are enough to know")


def consume(db, batch, downstream, letters):
    for record in batch:
        downstream.apply(record)
        record.commit()
