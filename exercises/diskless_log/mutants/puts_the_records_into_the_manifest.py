"""Needs no files at all, and sends the whole log again with every commit."""
FAILS = ("commit", "swollen", "No fault was needed")


def flush(store, name, batches):
    while True:
        old, etag = manifest(store)
        log = list(old["log"])
        offsets = [place(log, batch, list(batch.records)) for batch in batches]
        if log == old["log"] or replaced(store, etag, {**old, "log": log}):
            break
    for batch, offset in zip(batches, offsets):
        if offset is not None:
            batch.ack(offset)


def read(store, partition, offset):
    return [(at, record) for entry in manifest(store)[0]["log"] if entry["partition"] == partition
            for at, record in enumerate(entry["file"], start=entry["offset"]) if at >= offset]
