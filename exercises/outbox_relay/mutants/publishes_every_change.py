"""Takes the cleanup's changes for new events."""
FAILS = ("follow", "repeated", "confirmed already")


def follow(stream, broker):
    for change in stream:
        if change.row:
            broker.publish(change.row.id, change.row).wait()
        elif change.kind == "commit":
            stream.confirm(change.lsn)
