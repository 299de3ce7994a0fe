"""Commits the file and then writes it. In between it is killed."""
FAILS = ("commit", "unreadable", "before put files/")


def flush(store, name, batches):
    file = f"files/{name}"
    while True:
        old, etag = manifest(store)
        if file in old["dead"]:
            return
        log = list(old["log"])
        offsets = [place(log, batch, file) for batch in batches]
        if log == old["log"] or replaced(store, etag, {**old, "log": log}):
            break
    store.put(file, [[batch.partition, batch.producer, batch.sequence, batch.records] for batch in batches])
    for batch, offset in zip(batches, offsets):
        if offset is not None:
            batch.ack(offset)
