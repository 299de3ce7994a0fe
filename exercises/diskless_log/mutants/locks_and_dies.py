"""Takes a lock, so that it needs no condition. Whoever is killed with the lock keeps it for ever."""
FAILS = ("commit", "stuck", "was killed after put lock")


def locked(store, name):
    while True:
        try:
            return store.put("lock", name, if_none_match="*")
        except PreconditionFailed:
            continue


def flush(store, name, batches):
    file = f"files/{name}"
    store.put(file, [[batch.partition, batch.producer, batch.sequence, batch.records] for batch in batches])
    locked(store, name)
    old, _ = manifest(store)
    log = list(old["log"])
    offsets = [place(log, batch, file) for batch in batches]
    if file not in old["dead"]:
        store.put("manifest", {**old, "log": log})
        for batch, offset in zip(batches, offsets):
            if offset is not None:
                batch.ack(offset)
    store.delete("lock")
