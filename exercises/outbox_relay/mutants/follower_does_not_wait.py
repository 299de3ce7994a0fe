"""Confirms what it has sent, stored or not."""
FAILS = ("follow", "lost", "The broker never got")


def follow(stream, broker):
    for change in stream:
        if change.kind in ("snapshot", "insert"):
            broker.publish(change.row.id, change.row)
        elif change.kind == "commit":
            stream.confirm(change.lsn)
