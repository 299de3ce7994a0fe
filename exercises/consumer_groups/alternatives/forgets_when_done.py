"""Deletes the count of what is done, and looks up the whole batch at once."""
from exercises.consumer_groups import LIMIT, Failed


def size(load):
    speed, best = 1 / load.mean, None
    for members in reversed(range(1, load.partitions + 1)):
        own = -(-load.partitions // members) * load.rate / load.partitions
        if own < speed and load.outage * own <= (speed - own) * (load.within - 5):
            best = members
    batch = 1
    while batch < 500 and (batch + 1) * load.slowest < load.max_poll_interval * 0.9:
        batch += 1
    return best, batch


def settings(deployment):
    for timeout in range(int(deployment.replaced_within) - 8, int(deployment.away) + 8, -1):
        if deployment.away < 4.5 + 2 * deployment.warm_up:
            return {"protocol": "consumer", "group_instance_id": True, "session_timeout": timeout}
    return {"protocol": "consumer", "group_instance_id": False,
            "session_timeout": max(6, deployment.replaced_within - 10)}


def consume(db, batch, downstream, letters):
    partition = batch[0].partition
    counts = dict(db.execute("SELECT offset, count FROM tries WHERE partition = ?", (partition,)))
    for record in batch:
        count, done = counts.get(record.offset, 0), False
        while count < LIMIT and not done:
            count += 1
            with db:
                db.execute("REPLACE INTO tries VALUES (?, ?, ?)", (partition, record.offset, count))
            try:
                downstream.apply(record)
                done = True
            except Failed:
                done = False
        if not done:
            letters.send(record)
        record.commit()
        with db:
            db.execute("DELETE FROM tries WHERE partition = ? AND offset <= ?", (partition, record.offset))
