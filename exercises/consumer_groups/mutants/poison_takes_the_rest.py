"""Once a record is given up, so is the rest of its batch."""
from exercises.consumer_groups import LIMIT, Failed

FAILS = ("retry", "hasty", "after 0 of 3 tries")


def consume(db, batch, downstream, letters):
    bad = False
    for record in batch:
        for _ in range(0 if bad else LIMIT):
            try:
                downstream.apply(record)
                break
            except Failed:
                continue
        else:
            bad = True
            letters.send(record)
        record.commit()
