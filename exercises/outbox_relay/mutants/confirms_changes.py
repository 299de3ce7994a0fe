"""Confirms the lsn of each change: only that of a commit ends a transaction."""
FAILS = ("follow", "repeated", "nothing had happened")


def follow(stream, broker):
    for change in stream:
        if change.kind in ("snapshot", "insert"):
            broker.publish(change.row.id, change.row).wait()
            stream.confirm(change.lsn)
