"""What a check of records does, wherever it sits: it knows a registered schema, and objects to what does not fit it."""

from __future__ import annotations

import json

from google.protobuf import unknown_fields
from google.protobuf.message import DecodeError

from . import buf, schema_changes

CURRENCY = "EUR"


class Check:
    """A registered schema's judgement of single records.

    Protobuf readers skip what they do not know, so that a record of another schema often parses. This check therefore
    objects to unknown fields as well, and to the one thing that this shop requires and proto3 cannot: an order's id.
    """

    def __init__(self, image: bytes):
        self.order = buf.classes(image)["Order"]

    def objection(self, payload: bytes) -> str:
        """Why this is no Order; nothing if it is one."""
        try:
            order = self.order.FromString(payload)
        except DecodeError:
            return "these bytes are no Order"
        if strangers := sorted(unknown(order)):
            return f"an Order has no field {', '.join(strangers)}"
        return "" if order.id else "an Order needs an id"


def unknown(message, path: str = "") -> list[str]:
    """The fields of a message that its schema does not have: total.6 is field 6 within the field total."""
    found = [f"{path}{field.field_number}" for field in unknown_fields.UnknownFieldSet(message)]
    for field, value in message.ListFields():
        if field.message_type and not field.is_repeated:
            found += unknown(value, f"{path}{field.name}.")
    return found


class Release:
    """A version of the checkout's program: it writes orders in the schema that it was built with."""

    def __init__(self, change: schema_changes.Change | None = None, write=None):
        self.change = change
        files = change.module() if change else buf.module()
        self.order, self.write = buf.classes(buf.build(files))["Order"], write or as_money

    def payload(self, id: str, customer: str, price: str) -> bytes:
        """One order as bytes; a price is a text such as 12.50."""
        return self.order(**self.write(id, customer, price)).SerializeToString()


def cents(price: str) -> int:
    """12.50 is 1250 cents."""
    return int(price.replace(".", ""))


def as_money(id: str, customer: str, price: str) -> dict:
    """The order in the registered schema."""
    return {"id": id, "customer": customer, "total": {"cents": cents(price), "currency": CURRENCY}}


def as_text(id: str, customer: str, price: str) -> dict:
    """The order of the release in which `total` became a string."""
    return {"id": id, "customer": customer, "total": f"{price} {CURRENCY}"}


class ByHand:
    """Somebody's script: JSON straight to the broker, without a schema, a build or the library of the producers."""
    change = None

    def payload(self, id: str, customer: str, price: str) -> bytes:
        return json.dumps({"id": id, "customer": customer, "total": price}).encode()
