"""Takes all of a snapshot for old: what the old slot had not delivered is there and nowhere else."""
FAILS = ("follow", "lost", "made anew")


def follow(stream, broker):
    for change in stream:
        if change.kind == "insert":
            broker.publish(change.row.id, change.row).wait()
        elif change.kind == "commit":
            stream.confirm(change.lsn)
