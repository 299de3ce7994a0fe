"""The collector forbids, and the agent does not look."""
FAILS = ("collect", "unreadable", "after put files/agent-1-1, before get manifest (step 2), and went on 4 steps later")


def flush(store, name, batches):
    file = f"files/{name}"
    store.put(file, [[batch.partition, batch.producer, batch.sequence, batch.records] for batch in batches])
    while True:
        old, etag = manifest(store)
        log = list(old["log"])
        offsets = [place(log, batch, file) for batch in batches]
        if log == old["log"] or replaced(store, etag, {**old, "log": log}):
            break
    for batch, offset in zip(batches, offsets):
        if offset is not None:
            batch.ack(offset)
