"""Tries until it works, and poison never works."""
from exercises.consumer_groups import Failed

FAILS = ("retry", "stuck", "went on and on")


def consume(db, batch, downstream, letters):
    for record in batch:
        while True:
            try:
                downstream.apply(record)
                break
            except Failed:
                continue
        record.commit()
