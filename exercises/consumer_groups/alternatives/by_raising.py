"""Never tries twice in one call: lets the exception pass, and the restart at the last commit is the next try."""
import math

from exercises.consumer_groups import LIMIT


def size(load):
    """Turned round: how many partitions can one member carry?"""
    most = max(number for number in range(1, load.partitions + 1) if carries(load, number))
    return math.ceil(load.partitions / most), min(500, math.floor(load.max_poll_interval * 0.95 / load.slowest))


def carries(load, number):
    rate = load.rate / load.partitions * number
    return rate * load.mean < 1 and rate * (load.outage + load.within - 5) * load.mean <= load.within - 5


def settings(deployment):
    timeout = max(6.0, deployment.replaced_within - 9)
    patient = timeout - 7 > deployment.away
    worth_it = deployment.away <= 2 * (deployment.warm_up + 2.5)
    return dict(protocol="consumer", group_instance_id=patient and worth_it, session_timeout=timeout)


def consume(db, batch, downstream, letters):
    for record in batch:
        db.execute("INSERT OR IGNORE INTO tries VALUES (?, ?, 0)", (record.partition, record.offset))
        db.execute("UPDATE tries SET count = count + 1 WHERE partition = ? AND offset = ?",
                   (record.partition, record.offset))
        db.commit()
        (count,) = db.execute("SELECT count FROM tries WHERE partition = ? AND offset = ?",
                              (record.partition, record.offset)).fetchone()
        if count > LIMIT:
            letters.send(record)
        else:
            downstream.apply(record)
        record.commit()
