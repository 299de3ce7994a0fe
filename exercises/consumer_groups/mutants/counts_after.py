"""Counts failures in the database, after they happened: a death is never written down."""
from exercises.consumer_groups import LIMIT, Failed

FAILS = ("killer", "stubborn", "The service took the consumer down")


def consume(db, batch, downstream, letters):
    for record in batch:
        place = record.partition, record.offset
        tried = "SELECT TOTAL(count) FROM tries WHERE partition = ? AND offset = ?"
        while db.execute(tried, place).fetchone()[0] < LIMIT:
            try:
                downstream.apply(record)
                break
            except Failed:
                with db:
                    db.execute("INSERT INTO tries VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1", place)
        else:
            letters.send(record)
        record.commit()
