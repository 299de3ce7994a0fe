"""The account's events, and what they say: the truth that a learner's functions are compared with.

    schema 1   opened {name}    deposited, withdrawn {amount: "12.50"}
    schema 2   opened {owner}   deposited, withdrawn {cents: 1250}
    schema 3   as 2, and deposited, withdrawn {cents, channel}; older ones came through channel "unknown"

`renamed {owner}` and `interest {rate, cents}` have never changed.
"""
from collections.abc import Iterable
from typing import NamedTuple

SCHEMA = 3        # of the events that are written today
STATE_SCHEMA = 2  # of the states that are written into snapshots today; those of schema 1 had no count of withdrawals


class Conflict(Exception):
    """Somebody else has written to the stream since the expected version."""


class UnknownEvent(Exception):
    """An event of a type that this program does not know: whatever it says next would be a guess."""


class Event(NamedTuple):
    """A new event: its id, its type and its data (a dictionary) in today's schema."""
    id: str
    type: str
    data: dict


class Stored(NamedTuple):
    """An event as it stands in the store, written whenever it was."""
    stream: str
    version: int
    event_id: str
    type: str
    schema: int
    data: dict


def current(type: str, schema: int, data: dict) -> dict:
    """An event's data in today's schema."""
    if type == "opened":
        return {"owner": data["name"]} if schema == 1 else data
    if type not in ("deposited", "withdrawn"):
        return data
    cents = cents_of(data["amount"]) if schema == 1 else data["cents"]
    return {"cents": cents, "channel": data.get("channel", "unknown")}


def cents_of(amount: str) -> int:
    """"12.50" as 1250; a number with a decimal point in it never becomes a float."""
    whole, _, part = amount.partition(".")
    return 100 * int(whole) + int(part)


def as_amount(cents: int) -> str:
    """1250 as "12.50", as schema 1 wrote it."""
    return f"{cents // 100}.{cents % 100:02}"


def state_after(events: Iterable[Stored]) -> dict | None:
    """The account that some events make: owner, balance in cents, number of withdrawals; None without events."""
    state = None
    for event in events:
        data = current(event.type, event.schema, event.data)
        if event.type == "opened":
            state = {"owner": data["owner"], "balance": 0, "withdrawals": 0}
        elif event.type == "renamed":
            state["owner"] = data["owner"]
        else:
            state["balance"] += -data["cents"] if event.type == "withdrawn" else data["cents"]
            state["withdrawals"] += event.type == "withdrawn"
    return state


def aged(stored: Stored, schema: int) -> Stored:
    """The same event as an older program would have written it."""
    data = stored.data
    if stored.type == "opened" and schema == 1:
        data = {"name": data["owner"]}
    elif stored.type in ("deposited", "withdrawn"):
        data = {"amount": as_amount(data["cents"])} if schema == 1 else {"cents": data["cents"]}
    return stored._replace(schema=schema, data=data)
