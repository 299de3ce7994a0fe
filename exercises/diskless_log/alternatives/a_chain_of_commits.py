"""No manifest but a chain: each commit is an object of its own, and the next number can be taken only once.

Commits hold no offsets and may hold copies: whoever folds the chain gives the offsets, drops what is there already and
what comes too early, and all who fold it come to the same result. Orphans are forbidden by a link of the chain too.
"""


def folded(store, number=0):
    """Entries, forbidden files, and the number of the next link."""
    log, dead = [], []
    while True:
        try:
            link = store.get(f"chain/{number:06d}").body
        except NotFound:
            return log, dead, number
        number += 1
        dead += link["dead"]
        if link["file"] not in dead:
            for batch in link["batches"]:
                taken_in(log, batch, link["file"])


def taken_in(log, batch, file):
    partition, producer, sequence, count = batch
    expected = sum(entry[3] for entry in log if entry[:2] == [partition, producer])
    if sequence == expected:
        log.append([*batch, sum(entry[3] for entry in log if entry[0] == partition), file])


def linked(store, number, file, batches, dead):
    try:
        store.put(f"chain/{number:06d}", {"file": file, "batches": batches, "dead": dead}, if_none_match="*")
        return True
    except PreconditionFailed:
        return False


def flush(store, name, batches):
    file = f"files/{name}"
    store.put(file, {str([b.partition, b.producer, b.sequence]): b.records for b in batches})
    mine = [[b.partition, b.producer, b.sequence, len(b.records)] for b in batches]
    while True:
        log, dead, number = folded(store)
        after = list(log)
        for batch in mine:
            taken_in(after, batch, file)
        if file in dead or after == log or linked(store, number, file, mine, []):
            break
    offsets = {tuple(entry[:3]): entry[4] for entry in (log if file in dead else after)}
    for batch in batches:
        if (batch.partition, batch.producer, batch.sequence) in offsets:
            batch.ack(offsets[batch.partition, batch.producer, batch.sequence])


def read(store, partition, offset):
    seen = []
    for whose, producer, sequence, count, begin, file in folded(store)[0]:
        if whose == partition and begin + count > offset:
            records = store.get(file).body[str([partition, producer, sequence])]
            seen += [(begin + n, record) for n, record in enumerate(records) if begin + n >= offset]
    return seen


def collect(store):
    files = store.list("files/")
    while True:
        log, dead, number = folded(store)
        orphans = [file for file in files if file not in {entry[5] for entry in log}]
        if set(orphans) <= set(dead) or linked(store, number, "", [], [each for each in orphans if each not in dead]):
            break
    for file in orphans:
        store.delete(file)
