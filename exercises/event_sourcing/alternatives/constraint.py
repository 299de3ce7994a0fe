"""The primary key decides; an IntegrityError is a conflict or an earlier try. Folds by a table of functions."""

import sqlite3
from decimal import Decimal


def append(db, stream, expected, events):
    try:
        with db:
            if expected and not db.execute("SELECT 1 FROM events WHERE stream = ? AND version = ?",
                                           (stream, expected - 1)).fetchone():
                raise Conflict(f"{stream} ends before {expected}")
            db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", [
                (stream, expected + n, each.id, each.type, SCHEMA, json.dumps(each.data))
                for n, each in enumerate(events)])
    except sqlite3.IntegrityError:
        last = expected + len(events) - 1
        there = db.execute("SELECT event_id FROM events WHERE stream = ? AND version BETWEEN ? AND ?"
                           " ORDER BY version", (stream, expected, last)).fetchall()
        if there != [(each.id,) for each in events]:
            raise Conflict(stream) from None


APPLY = {
    "opened": lambda state, data: {"owner": data["owner"], "balance": 0, "withdrawals": 0},
    "renamed": lambda state, data: state | {"owner": data["owner"]},
    "deposited": lambda state, data: state | {"balance": state["balance"] + data["cents"]},
    "interest": lambda state, data: state | {"balance": state["balance"] + data["cents"]},
    "withdrawn": lambda state, data: state | {"balance": state["balance"] - data["cents"],
                                              "withdrawals": state["withdrawals"] + 1},
}


def evolve(state, type, data):
    try:
        return APPLY[type](state, data)
    except KeyError:
        raise UnknownEvent(type) from None


def upcast(type, schema, data):
    if type == "opened":
        return {"owner": data.get("owner", data.get("name"))}
    if type not in ("deposited", "withdrawn"):
        return data
    cents = int(Decimal(data["amount"]) * 100) if schema == 1 else data["cents"]
    return {"cents": cents, "channel": data.get("channel", "unknown")}
