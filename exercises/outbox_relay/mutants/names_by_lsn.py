"""Names an event by its place in the log: a snapshot has other places."""
FAILS = ("follow", "unrecognised", "made anew")


def follow(stream, broker):
    for change in stream:
        if change.kind in ("snapshot", "insert"):
            broker.publish(f"{change.lsn} {change.row.position}", change.row).wait()
        elif change.kind == "commit":
            stream.confirm(change.lsn)
