"""Knows copies, but does not ask whether the batch before is there: the one behind a lost one overtakes it."""
FAILS = ("sequence", "reordered", "No fault was needed")


def place(log, batch, file):
    before = [entry for entry in log if (entry["partition"], entry["producer"]) == (batch.partition, batch.producer)]
    for entry in before:
        if entry["sequence"] == batch.sequence:
            return entry["offset"]
    offset = sum(entry["count"] for entry in log if entry["partition"] == batch.partition)
    log.append({"partition": batch.partition, "producer": batch.producer, "sequence": batch.sequence,
                "offset": offset, "count": len(batch.records), "file": file})
    return offset
