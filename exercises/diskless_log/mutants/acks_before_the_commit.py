"""Acknowledges when the file is written: the offsets are what they will be, if nothing happens. Then it is killed."""
FAILS = ("commit", "lost", "after ack")


def flush(store, name, batches):
    file = f"files/{name}"
    store.put(file, [[batch.partition, batch.producer, batch.sequence, batch.records] for batch in batches])
    expected = list(manifest(store)[0]["log"])
    for batch in batches:
        if (offset := place(expected, batch, file)) is not None:
            batch.ack(offset)
    while True:
        old, etag = manifest(store)
        if file in old["dead"]:
            return
        log = list(old["log"])
        offsets = [place(log, batch, file) for batch in batches]
        if log == old["log"] or replaced(store, etag, {**old, "log": log}):
            break
