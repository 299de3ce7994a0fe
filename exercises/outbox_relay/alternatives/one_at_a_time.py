"""One aggregate a round, failures left to the next round; a cursor of pairs; the last commit confirmed at the end."""


def poll(look, cursor):
    """Remembers the published rows that a transaction in progress may still have overtaken."""
    if cursor is None:
        cursor = {"below": 0, "pairs": []}
    known = {tuple(pair) for pair in cursor["pairs"]}
    rows = [row for row in look.rows if row.xid >= cursor["below"] and (row.xid, row.position) not in known]
    rows.sort(key=lambda row: row.version)
    pairs = known | {(row.xid, row.position) for row in rows}
    return tuple(rows), {"below": look.xmin, "pairs": sorted(pair for pair in pairs if pair[0] >= look.xmin)}


def mine(db, aggregate):
    return sorted((row for row in db.waiting() if row.aggregate == aggregate), key=lambda row: row.version)


def relay(db, broker):
    for aggregate in sorted({row.aggregate for row in db.waiting()}):
        token = db.claim(aggregate, LEASE)
        if token:
            break
    else:
        return
    try:
        while rows := mine(db, aggregate):
            broker.publish(rows[0].id, rows[0], token).wait()
            db.mark(rows[:1])
    except (Fenced, NotConfirmed):
        return
    db.release(aggregate, token)


def cleanup(db, keep):
    limit = db.now() - keep
    db.delete(lambda row: (row.published is not None) and row.published <= limit)


def follow(stream, broker):
    done = None
    try:
        for kind, lsn, row in stream:
            if kind in ("insert", "snapshot"):
                broker.publish(row.id, row).wait()
            if kind == "commit":
                done = lsn
    except NotConfirmed:
        pass
    if done is not None:
        stream.confirm(done)
