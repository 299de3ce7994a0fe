"""The collector forbids no names, it begins a new epoch: a file can be committed only in the epoch that is in its name.

Before it deletes anything, the epoch has moved on, so whatever it sees uncommitted from an older one stays that way.
"""


def looked(store):
    try:
        return store.get("manifest")
    except NotFound:
        return {"epoch": 0, "log": []}, None


def swapped(store, etag, new):
    try:
        store.put("manifest", new, **({"if_match": etag} if etag else {"if_none_match": "*"}))
    except PreconditionFailed:
        return False
    return True


def flush(store, name, batches):
    epoch = looked(store)[0]["epoch"]
    file = f"files/{epoch:04d}/{name}"
    store.put(file, [[b.partition, b.records] for b in batches])
    while True:
        manifest, etag = looked(store)
        if manifest["epoch"] != epoch:
            return
        log = list(manifest["log"])
        offsets = [placed(log, batch, file, number) for number, batch in enumerate(batches)]
        if len(log) == len(manifest["log"]) or swapped(store, etag, {"epoch": epoch, "log": log}):
            break
    for batch, offset in zip(batches, offsets):
        if offset is not None:
            batch.ack(offset)


def placed(log, batch, file, number):
    ends = {}
    for offset, count, partition, producer, sequence, *_ in log:
        ends[partition] = offset + count
        if (partition, producer) == (batch.partition, batch.producer):
            if sequence == batch.sequence:
                return offset
            ends["sequence"] = sequence + count
    if ends.get("sequence", 0) != batch.sequence:
        return None
    offset = ends.get(batch.partition, 0)
    log.append([offset, len(batch.records), batch.partition, batch.producer, batch.sequence, file, number])
    return offset


def read(store, partition, offset):
    entries = [each for each in looked(store)[0]["log"] if each[2] == partition and each[0] + each[1] > offset]
    return [(begin + n, record) for begin, _, _, _, _, file, number in entries
            for n, record in enumerate(store.get(file).body[number][1]) if begin + n >= offset]


def collect(store):
    while True:
        manifest, etag = looked(store)
        if swapped(store, etag, {**manifest, "epoch": manifest["epoch"] + 1}):
            break
    used = {entry[5] for entry in manifest["log"]}
    for file in store.list("files/"):
        if int(file.split("/")[1]) <= manifest["epoch"] and file not in used:
            store.delete(file)
