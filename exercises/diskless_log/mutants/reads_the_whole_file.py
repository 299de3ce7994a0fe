"""Takes all of a file's records for those of the partition it was asked for."""
FAILS = ("commit", "mixed", "stands in the log of clicks")


def read(store, partition, offset):
    records, files = [], []
    for entry in manifest(store)[0]["log"]:
        if entry["partition"] == partition and entry["file"] not in files:
            files.append(entry["file"])
            records += [record for *_, batch in store.get(entry["file"]).body for record in batch]
    return list(enumerate(records))[offset:]
