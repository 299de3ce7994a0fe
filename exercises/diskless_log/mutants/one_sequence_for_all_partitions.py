"""Compares a batch with the last one of its producer in any partition: what is new looks known, and is acknowledged."""
FAILS = ("commit", "lost", "No fault was needed")


def place(log, batch, file):
    before = [entry for entry in log if entry["producer"] == batch.producer]
    if before and batch.sequence <= before[-1]["sequence"]:
        return before[-1]["offset"]
    offset = sum(entry["count"] for entry in log if entry["partition"] == batch.partition)
    log.append({"partition": batch.partition, "producer": batch.producer, "sequence": batch.sequence,
                "offset": offset, "count": len(batch.records), "file": file})
    return offset
