"""What is below the highest sequence has been seen, it says: the batch that came late is dropped, and acknowledged."""
FAILS = ("sequence", "lost", "No fault was needed")


def place(log, batch, file):
    before = [entry for entry in log if (entry["partition"], entry["producer"]) == (batch.partition, batch.producer)]
    if before and batch.sequence <= before[-1]["sequence"]:
        return next((entry["offset"] for entry in before if entry["sequence"] == batch.sequence), before[0]["offset"])
    offset = sum(entry["count"] for entry in log if entry["partition"] == batch.partition)
    log.append({"partition": batch.partition, "producer": batch.producer, "sequence": batch.sequence,
                "offset": offset, "count": len(batch.records), "file": file})
    return offset
