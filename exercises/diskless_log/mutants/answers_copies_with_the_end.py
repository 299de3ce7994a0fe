"""Recognises a copy and tells its producer the end of the log instead of where the batch stands."""
FAILS = ("commit", "misinformed", "before ack")


def place(log, batch, file):
    before = [entry for entry in log if (entry["partition"], entry["producer"]) == (batch.partition, batch.producer)]
    for entry in before:
        if entry["sequence"] == batch.sequence:
            return sum(each["count"] for each in log if each["partition"] == batch.partition)
    expected = before[-1]["sequence"] + before[-1]["count"] if before else 0
    if batch.sequence != expected:
        return None
    offset = sum(entry["count"] for entry in log if entry["partition"] == batch.partition)
    log.append({"partition": batch.partition, "producer": batch.producer, "sequence": batch.sequence,
                "offset": offset, "count": len(batch.records), "file": file})
    return offset
