"""Does everything right, and all of it again after every restart."""
from exercises.consumer_groups import LIMIT, Failed

FAILS = ("retry", "behind", "would begin at offset")


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
