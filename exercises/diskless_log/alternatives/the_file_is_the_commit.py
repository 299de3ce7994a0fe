"""One put for data and commit: files are numbered, and the next number can be taken only once.

Whoever loses a race has to send all its records again, which is the price; there never is an orphan, which is the gain.
"""


def files_of(store):
    files = []
    while True:
        try:
            files.append(store.get(f"files/{len(files):08d}").body)
        except NotFound:
            return files


def entries_of(files):
    ends, entries = {}, []
    for body in files:
        for partition, producer, sequence, records in body:
            offset = ends.get(partition, 0)
            ends[partition] = offset + len(records)
            entries.append((partition, producer, sequence, offset, records))
    return entries


def flush(store, name, batches):
    while True:
        files = files_of(store)
        new = []
        for batch in batches:
            stored = [each for each in entries_of([*files, new]) if each[:2] == (batch.partition, batch.producer)]
            if batch.sequence == sum(len(each[4]) for each in stored):
                new.append([batch.partition, batch.producer, batch.sequence, batch.records])
        try:
            if new:
                store.put(f"files/{len(files):08d}", new, if_none_match="*")
            break
        except PreconditionFailed:
            continue
    offsets = {each[:3]: each[3] for each in entries_of([*files, new])}
    for batch in batches:
        if (batch.partition, batch.producer, batch.sequence) in offsets:
            batch.ack(offsets[batch.partition, batch.producer, batch.sequence])


def read(store, partition, offset):
    return [(begin + n, record) for whose, _, _, begin, records in entries_of(files_of(store)) if whose == partition
            for n, record in enumerate(records) if begin + n >= offset]


def collect(store):
    return None
