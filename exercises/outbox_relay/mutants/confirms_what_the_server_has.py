"""Confirms up to the end of the server's log, as an answer to a keepalive may: beyond what it has published."""
FAILS = ("follow", "lost", "died after move the slot")


def follow(stream, broker):
    for change in stream:
        if change.kind in ("snapshot", "insert"):
            broker.publish(change.row.id, change.row).wait()
        elif change.kind == "commit":
            stream.confirm(stream.end)
