"""What failed is tried again after the rest of the batch: overtaken."""
from exercises.consumer_groups import Failed

FAILS = ("retry", "reordered", "which stands in front")


def consume(db, batch, downstream, letters):
    tries, waiting = {}, list(batch)
    while waiting:
        record = waiting.pop(0)
        tries[record.offset] = tries.get(record.offset, 0) + 1
        try:
            downstream.apply(record)
        except Failed:
            if tries[record.offset] < 3:
                waiting.append(record)
            else:
                letters.send(record)
    batch[-1].commit()
