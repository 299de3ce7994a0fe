"""No answer to the commit, so it commits once more, behind what is there: and what is there is its first try."""
FAILS = ("commit", "duplicate", "its answer was lost: put manifest")


def flush(store, name, batches):
    file = f"files/{name}"
    store.put(file, [[batch.partition, batch.producer, batch.sequence, batch.records] for batch in batches])
    new = None
    while True:
        old, etag = manifest(store)
        if file in old["dead"]:
            return
        log = list(old["log"])
        if new is None:
            offsets = [place(log, batch, file) for batch in batches]
            new = log[len(old["log"]):]
        else:
            for entry in new:
                end = sum(each["count"] for each in log if each["partition"] == entry["partition"])
                log.append({**entry, "offset": end})
        try:
            if not new or replaced(store, etag, {**old, "log": log}):
                break
            new = None
        except NoAnswer:
            continue
    for batch, offset in zip(batches, offsets):
        if offset is not None:
            batch.ack(offset)
