"""Right until the poison kills the process, and with it the count."""
from exercises.consumer_groups import LIMIT, Failed

FAILS = ("killer", "stubborn", "3 times are enough to know")


def consume(db, batch, downstream, letters):
    for record in batch:
        for _ in range(LIMIT):
            try:
                downstream.apply(record)
                break
            except Failed:
                continue
        else:
            letters.send(record)
        record.commit()
