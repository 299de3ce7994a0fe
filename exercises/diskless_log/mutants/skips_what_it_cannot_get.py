"""No answer for a file means nothing to read in it, and the reader goes on behind it."""
FAILS = ("reading", "holes", "its answer was lost: get files/")


def read(store, partition, offset):
    seen = []
    for entry in manifest(store)[0]["log"]:
        if entry["partition"] == partition and entry["offset"] + entry["count"] > offset:
            whose = [partition, entry["producer"], entry["sequence"]]
            try:
                records = next(records for *who, records in store.get(entry["file"]).body if who == whose)
            except NoAnswer:
                continue
            seen += enumerate(records, start=entry["offset"])
    return [(at, record) for at, record in seen if at >= offset]
