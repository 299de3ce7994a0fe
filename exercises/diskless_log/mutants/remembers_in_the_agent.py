"""Each agent knows the sequences that it has seen itself. The producer has gone to another one."""
FAILS = ("sequence", "duplicate", "clicks.shop-1.0 stands in the log 2 times")


seen = {}


def flush(store, name, batches):
    file = f"files/{name}"
    store.put(file, [[batch.partition, batch.producer, batch.sequence, batch.records] for batch in batches])
    while True:
        old, etag = manifest(store)
        if file in old["dead"]:
            return
        log, offsets = list(old["log"]), {}
        for batch in batches:
            key = batch.partition, batch.producer, batch.sequence
            if key not in seen and key not in offsets:
                offsets[key] = sum(entry["count"] for entry in log if entry["partition"] == batch.partition)
                log.append({"partition": batch.partition, "producer": batch.producer, "sequence": batch.sequence,
                            "offset": offsets[key], "count": len(batch.records), "file": file})
        if log == old["log"] or replaced(store, etag, {**old, "log": log}):
            break
    seen.update(offsets)
    for batch in batches:
        batch.ack(seen[batch.partition, batch.producer, batch.sequence])
