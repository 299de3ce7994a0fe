"""Five poisons, each sent once with the check in each place: what is stopped, and what a reader makes of the rest.

    a retyped field        a release in which `total` is a string, where the registered schema has a message
    JSON from a script     no schema, no build, no library: a loop around a command line
    swapped numbers        a release in which `id` and `customer` have exchanged their numbers
    an order without id    a bug of the program; the schema is the registered one
    tenths of a cent       a release in which `cents` means something else, and only a comment says so
"""

from __future__ import annotations

import nats
import pandas as pd
from google.protobuf.message import DecodeError
from nats.js.errors import APIError

from . import buf
from .recorders.background import Background
from .schema_changes import CHANGES
from .schema_check import ByHand, Check, Release, as_money, as_text, cents
from .schema_front import PATIENCE, Front
from .schema_gate import PLACES, create, pull

ID, CUSTOMER, PRICE = "o-17", "ada", "24.00"
STOPPED = "stopped"


def without_id(id: str, customer: str, price: str) -> dict:
    """The order of a program with a bug."""
    return as_money("", customer, price)


def in_tenths(id: str, customer: str, price: str) -> dict:
    """The order of a program for which `cents` are tenths of a cent."""
    return as_money(id, customer, f"{price}0")


def poisons() -> dict[str, Release | ByHand]:
    """What writes each of them."""
    return {"a retyped field": Release(CHANGES["total becomes a string"], as_text),
            "JSON from a script": ByHand(),
            "swapped numbers": Release(CHANGES["id and customer change places"]),
            "an order without id": Release(write=without_id),
            "tenths of a cent": Release(CHANGES["cents counts tenths, says a comment"], in_tenths)}


def table(cluster) -> pd.DataFrame:
    """Each poison in each place: stopped, or stored and then read as something."""
    background = Background()
    try:
        return background.do(_table(cluster), 60)
    finally:
        background.close()


async def _table(cluster) -> pd.DataFrame:
    connection = await nats.connect(cluster.urls)
    rows, check = {}, Check(buf.build(buf.module()))
    for place in PLACES:
        subject = f"poison-{place.lower()}"
        await create(connection.jetstream(), subject, place == "broker")
        if place == "broker":
            await Front(connection, subject, check).start()
        reader = await pull(connection.jetstream(), subject, "reader")
        rows[place] = {name: await _fate(connection.jetstream(), subject, place, release, check, reader)
                       for name, release in poisons().items()}
    await connection.close()
    return pd.DataFrame(rows)


async def _fate(stream, subject: str, place: str, release, check: Check, reader) -> str:
    """What becomes of one record: `stopped`, or how the reader reads what was stored."""
    payload = release.payload(ID, CUSTOMER, PRICE)
    if place == "CI" and release.change and buf.breaking(release.change.module(), buf.module()):
        return STOPPED
    if place == "producer" and isinstance(release, Release) and check.objection(payload):
        return STOPPED
    try:
        await stream.publish(subject, payload)
    except APIError:
        return STOPPED
    (record,) = await reader.fetch(1, timeout=PATIENCE)
    await record.ack()
    return reading(check.order, record.data)


def reading(schema: type, payload: bytes) -> str:
    """What a reader with the registered schema makes of a stored record."""
    try:
        order = schema.FromString(payload)
    except DecodeError:
        return "readers stop"
    seen = {"id": order.id, "customer": order.customer, "total": order.total.cents}
    wrong = [f"{name} {value or 'missing'}" for name, value in seen.items()
             if value != {"id": ID, "customer": CUSTOMER, "total": cents(PRICE)}[name]]
    return f"read wrongly: {', '.join(wrong)}" if wrong else "read rightly"
