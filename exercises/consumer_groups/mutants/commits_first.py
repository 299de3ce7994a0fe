"""Committed, then applied: whoever dies in between loses the record."""
from exercises.consumer_groups import LIMIT, Failed

FAILS = ("crashes", "skipped", "the service does not have it")


def consume(db, batch, downstream, letters):
    for record in batch:
        record.commit()
        for _ in range(LIMIT):
            try:
                downstream.apply(record)
                break
            except Failed:
                continue
        else:
            letters.send(record)
