"""Counts before it tries, but in a transaction that dies with the process."""
from exercises.consumer_groups import LIMIT, Failed

FAILS = ("killer", "stubborn", "was tried")


def consume(db, batch, downstream, letters):
    for record in batch:
        place = record.partition, record.offset
        tried = "SELECT TOTAL(count) FROM tries WHERE partition = ? AND offset = ?"
        while db.execute(tried, place).fetchone()[0] < LIMIT:
            db.execute("INSERT INTO tries VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1", place)
            try:
                downstream.apply(record)
                db.commit()
                break
            except Failed:
                db.commit()
        else:
            letters.send(record)
        record.commit()
