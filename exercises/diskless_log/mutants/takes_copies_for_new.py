"""Refuses what comes too early, and takes everything else as new: also what was committed and not acknowledged."""
FAILS = ("commit", "duplicate", "was killed after put manifest")


def place(log, batch, file):
    before = [entry for entry in log if (entry["partition"], entry["producer"]) == (batch.partition, batch.producer)]
    expected = before[-1]["sequence"] + before[-1]["count"] if before else 0
    if batch.sequence > expected:
        return None
    offset = sum(entry["count"] for entry in log if entry["partition"] == batch.partition)
    log.append({"partition": batch.partition, "producer": batch.producer, "sequence": batch.sequence,
                "offset": offset, "count": len(batch.records), "file": file})
    return offset
