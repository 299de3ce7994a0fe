"""Counts the records of all partitions together."""
FAILS = ("commit", "holes", "No fault was needed")


def place(log, batch, file):
    before = [entry for entry in log if (entry["partition"], entry["producer"]) == (batch.partition, batch.producer)]
    for entry in before:
        if entry["sequence"] == batch.sequence:
            return entry["offset"]
    expected = before[-1]["sequence"] + before[-1]["count"] if before else 0
    if batch.sequence != expected:
        return None
    offset = sum(entry["count"] for entry in log)
    log.append({"partition": batch.partition, "producer": batch.producer, "sequence": batch.sequence,
                "offset": offset, "count": len(batch.records), "file": file})
    return offset
