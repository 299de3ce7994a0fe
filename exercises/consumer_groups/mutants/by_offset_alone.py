"""Offsets of two partitions are the same numbers: one record's tries are charged to the other."""
from exercises.consumer_groups import LIMIT, Failed

FAILS = ("retry", "hasty", "is among the dead letters after")


def consume(db, batch, downstream, letters):
    for record in batch:
        while db.execute("SELECT TOTAL(count) FROM tries WHERE offset = ?", (record.offset,)).fetchone()[0] < LIMIT:
            with db:
                db.execute("INSERT INTO tries VALUES (0, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
                           (record.offset,))
            try:
                downstream.apply(record)
                break
            except Failed:
                continue
        else:
            letters.send(record)
        record.commit()
