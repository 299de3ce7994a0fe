"""All of an aggregate in one go, released whatever happens; a transaction's events sent together, then waited for."""


def poll(look, cursor):
    horizon, *published = cursor or [0]
    new = {row.position: row for row in look.rows if row.xid >= horizon}
    for position in published:
        del new[position]
    kept = [row.position for row in look.rows if row.xid >= look.xmin]
    return sorted(new.values(), key=lambda row: (row.aggregate, row.version)), [look.xmin, *kept]


def relay(db, broker):
    aggregates = {row.aggregate for row in db.waiting()}
    for aggregate in sorted(aggregates):
        token = db.claim(aggregate, LEASE)
        if token is None:
            continue
        try:
            rows = sorted((row for row in db.waiting() if row.aggregate == aggregate), key=lambda row: row.version)
            for row in rows:
                broker.publish(row.id, row, token).wait()
            db.mark(rows)
        finally:
            db.release(aggregate, token)


def cleanup(db, keep):
    now = db.now()
    old = {row.position for row in db.rows() if row.published is not None and now - row.published >= keep}
    if old:
        db.delete(lambda row: row.position in old)


def follow(stream, broker):
    rows = []
    for change in stream:
        if change.kind == "commit":
            for row in rows:
                broker.publish(row.id, row).wait()
            stream.confirm(change.lsn)
            rows.clear()
        elif change.kind not in ("update", "delete"):
            rows.append(change.row)
