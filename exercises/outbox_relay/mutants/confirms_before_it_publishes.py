"""Collects a transaction, confirms it at its commit, and publishes then."""
FAILS = ("follow", "lost", "before publish")


def follow(stream, broker):
    rows = []
    for change in stream:
        if change.kind in ("snapshot", "insert"):
            rows.append(change.row)
        elif change.kind == "commit":
            stream.confirm(change.lsn)
            while rows:
                broker.publish(rows[0].id, rows.pop(0)).wait()
