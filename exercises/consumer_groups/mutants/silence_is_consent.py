"""No confirmation is taken for a confirmation."""
import contextlib

from exercises.consumer_groups import LIMIT, Failed, NotSent

FAILS = ("retry", "skipped", "never arrived")


def consume(db, batch, downstream, letters):
    for record in batch:
        for _ in range(LIMIT):
            try:
                downstream.apply(record)
                break
            except Failed:
                continue
        else:
            with contextlib.suppress(NotSent):
                letters.send(record)
        record.commit()
