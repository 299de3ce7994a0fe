"""The partition goes on before the dead letter is safe."""
from exercises.consumer_groups import LIMIT, Failed

FAILS = ("retry", "skipped", "The dead letter")


def consume(db, batch, downstream, letters):
    for record in batch:
        for _ in range(LIMIT):
            try:
                downstream.apply(record)
                break
            except Failed:
                continue
        else:
            record.commit()
            letters.send(record)
        record.commit()
