"""Explicit BEGIN and COMMIT, a match statement, upcasters in a chain, a withdrawal inside one transaction."""


def append(db, stream, expected, events):
    db.execute("BEGIN EXCLUSIVE")
    try:
        rows = db.execute("SELECT event_id FROM events WHERE stream = ? ORDER BY version", (stream,)).fetchall()
        ids = [each for (each,) in rows]
        mine = [event.id for event in events]
        if ids[expected:expected + len(mine)] != mine:
            if len(ids) != expected:
                raise Conflict(f"at {len(ids)}, not {expected}")
            version = expected
            for event in events:
                db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)",
                           (stream, version, event.id, event.type, SCHEMA, json.dumps(event.data)))
                version += 1
        db.execute("COMMIT")
    except Exception:
        db.execute("ROLLBACK")
        raise


def evolve(state, type, data):
    new = dict(state or {})
    match type:
        case "opened":
            new.update(owner=data["owner"], balance=0, withdrawals=0)
        case "renamed":
            new["owner"] = data["owner"]
        case "deposited" | "interest":
            new["balance"] += data["cents"]
        case "withdrawn":
            new["balance"] -= data["cents"]
            new["withdrawals"] += 1
        case _:
            raise UnknownEvent(f"{type} {data}")
    return new


def to_2(type, data):
    if type == "opened":
        return {"owner": data["name"]}
    if "amount" in data:
        return {"cents": int(data["amount"].replace(".", ""))}
    return data


def to_3(type, data):
    return dict(data, channel="unknown") if type in ("deposited", "withdrawn") else data


def upcast(type, schema, data):
    for step in (to_2, to_3)[schema - 1:]:
        data = step(type, data)
    return data


def load(db, stream):
    version, state = 0, None
    for found in db.execute("SELECT version, schema, state FROM snapshots WHERE stream = ?", (stream,)).fetchall():
        if found[1] == STATE_SCHEMA:
            version, state = found[0], json.loads(found[2])
    for kind, schema, data in db.execute("SELECT type, schema, data FROM events WHERE stream = ? ORDER BY version"
                                         " LIMIT -1 OFFSET ?", (stream, version)).fetchall():
        version, state = version + 1, evolve(state, kind, upcast(kind, schema, json.loads(data)))
    return version, state


def withdraw(db, command_id, stream, cents):
    for _ in range(10):
        version, state = load(db, stream)
        rows = db.execute("SELECT event_id FROM events WHERE stream = ?", (stream,)).fetchall()
        if (command_id,) in rows:
            return True
        if state["balance"] < cents:
            return False
        try:
            append(db, stream, version, [Event(command_id, "withdrawn", {"cents": cents, "channel": "app"})])
        except Conflict:
            continue
        return True
    raise RuntimeError("ten conflicts in a row")
