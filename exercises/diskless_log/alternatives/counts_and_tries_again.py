"""A manifest with counts: each partition's next offset, each producer's last five batches. It asks until answered.

After a commit without an answer it looks again; what it finds there already is its own or a copy's, and is not
committed twice. A producer has at most five batches of a partition on their way, as with Kafka.
"""


def asked(request, *args, **conditions):
    for _ in range(5):
        try:
            return request(*args, **conditions)
        except NoAnswer:
            continue
    raise NoAnswer("five times")


def state_of(store):
    try:
        return asked(store.get, "state/manifest")
    except NotFound:
        return {"ends": {}, "last": {}, "where": {}, "forbidden": []}, None


def flush(store, name, batches):
    asked(store.put, f"files/{name}", {f"{b.partition}/{b.producer}/{b.sequence}": b.records for b in batches})
    while True:
        state, etag = state_of(store)
        if name in state["forbidden"]:
            return
        offsets = [taken(state, batch, name) for batch in batches]
        if not any(entry[2] == name for entries in state["where"].values() for entry in entries):
            break  # nothing new
        try:
            conditions = {"if_match": etag} if etag else {"if_none_match": "*"}
            store.put("state/manifest", state, **conditions)
            break
        except (PreconditionFailed, NoAnswer):
            continue
    for batch, offset in zip(batches, offsets):
        if offset is not None:
            batch.ack(offset)


def taken(state, batch, name):
    last = state["last"].setdefault(f"{batch.partition}/{batch.producer}", [])
    for sequence, count, offset in last:
        if sequence == batch.sequence:
            return offset
    if batch.sequence != (last[-1][0] + last[-1][1] if last else 0):
        return None
    offset, count = state["ends"].get(batch.partition, 0), len(batch.records)
    state["ends"][batch.partition] = offset + count
    state["last"][f"{batch.partition}/{batch.producer}"] = [*last, [batch.sequence, count, offset]][-5:]
    state["where"].setdefault(batch.partition, []).append(
        [offset, count, name, f"{batch.partition}/{batch.producer}/{batch.sequence}"])
    return offset


def read(store, partition, offset):
    bodies, seen = {}, []
    for begin, count, name, key in state_of(store)[0]["where"].get(partition, ()):
        if begin + count > offset:
            bodies[name] = bodies.get(name) or asked(store.get, f"files/{name}").body
            first = max(0, offset - begin)
            seen += list(enumerate(bodies[name][key], start=begin))[first:]
    return seen


def collect(store):
    names = [key.split("/")[1] for key in asked(store.list, "files/")]
    while True:
        state, etag = state_of(store)
        used = {name for entries in state["where"].values() for _, _, name, _ in entries}
        garbage = [name for name in names if name not in used]
        if set(garbage) <= set(state["forbidden"]):
            break
        state["forbidden"] = sorted({*state["forbidden"], *garbage})
        try:
            conditions = {"if_match": etag} if etag else {"if_none_match": "*"}
            store.put("state/manifest", state, **conditions)
            break
        except (PreconditionFailed, NoAnswer):
            continue
    for name in garbage:
        asked(store.delete, f"files/{name}")
