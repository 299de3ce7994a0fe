"""Tries an unconfirmed publish again at once, three times; classes and generators instead of loops."""


class Cursor:
    """Everything below `horizon` is published, and of the rest the `positions`."""

    def __init__(self, stored):
        self.horizon, self.positions = stored or (0, ())

    def new(self, rows):
        return [row for row in rows if row.xid >= self.horizon and row.position not in self.positions]


def poll(look, cursor):
    by_aggregate = {}
    for row in Cursor(cursor).new(look.rows):
        by_aggregate.setdefault(row.aggregate, []).append(row)
    ordered = [row for rows in by_aggregate.values() for row in sorted(rows, key=lambda row: row.version)]
    return ordered, (look.xmin, tuple(row.position for row in look.rows if not row.xid < look.xmin))


def sure(broker, *what):
    for attempt in range(3):
        try:
            return broker.publish(*what).wait()
        except NotConfirmed:
            if attempt == 2:
                raise


def claimed(db):
    for aggregate in {row.aggregate: None for row in db.waiting()}:
        token = db.claim(aggregate, 2 * LEASE / 3)
        if token is not None:
            yield aggregate, token
            db.release(aggregate, token)


def relay(db, broker):
    for aggregate, token in claimed(db):
        for row in sorted(db.waiting(), key=lambda row: row.version):
            if row.aggregate == aggregate:
                sure(broker, f"event {row.id}", row, token)
                db.mark([row])


def cleanup(db, keep):
    def old(row):
        return row.published is not None and db.now() >= row.published + keep
    db.delete(old)


def follow(stream, broker):
    for change in stream:
        match change.kind:
            case "snapshot" | "insert":
                sure(broker, f"{change.row.aggregate}-{change.row.version}", change.row)
            case "commit":
                stream.confirm(change.lsn)
