"""Changes of the lab's schema: what each level of Buf says of them, and what a reader of the old schema reads.

A change is the new text of the module and what a program with it writes for one and the same order. The old reader is
real: classes built from the old module parse the bytes, or the JSON, that classes built from the new one have written.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from . import buf
from .buf import LEVELS, Files

ORDER = "shop/v1/order.proto"
PLACED = {"id": "o-17", "customer": "ada", "total": {"cents": "1250", "currency": "EUR"}, "status": "STATUS_PAID",
          "points": 120, "voucher": "SPRING"}  # int64 is text in JSON, so that no JavaScript rounds it


@dataclass(frozen=True)
class Change:
    """A new version of the module: the replaced texts, what the same order is called in it, and files besides."""
    edits: tuple[tuple[str, str], ...]
    writes: dict = field(default_factory=dict)  # fields that are written otherwise; None is not written at all
    meant: dict = field(default_factory=dict)   # fields whose true value is another than in PLACED
    files: tuple[tuple[str, str], ...] = ()

    def module(self) -> Files:
        """The files after the change."""
        text = buf.module()[ORDER]
        for old, new in self.edits:
            if old not in text:
                raise ValueError(f"edits: {old!r} is not in {ORDER}")
            text = text.replace(old, new)
        return {ORDER: text, **dict(self.files)}

    def written(self) -> dict:
        """The order in the words of the new schema."""
        return {name: value for name, value in {**PLACED, **self.writes}.items() if value is not None}

    def truth(self) -> dict:
        """The order in the words of the old schema, as the writer means it."""
        return {name: value for name, value in {**PLACED, **self.meant}.items() if value is not None}


MONEY = "message Money {\n  int64 cents = 1;\n  string currency = 2;\n}\n"
PACKAGE = "package shop.v1;"
ELSEWHERE = f'syntax = "proto3";\n\n{PACKAGE}\n\n{MONEY}'
CHANGES = {
    "add a field": Change((("voucher = 6;", "voucher = 6;\n  string note = 7;"),), {"note": "ring twice"}),
    "delete, number and name reserved": Change((("string voucher = 6;", 'reserved 6;\n  reserved "voucher";'),),
                                               {"voucher": None}, {"voucher": None}),
    "move Money into a file of its own": Change(((MONEY, ""), (PACKAGE, f'{PACKAGE}\n\nimport "shop/v1/money.proto";')),
                                                files=(("shop/v1/money.proto", ELSEWHERE),)),
    "rename voucher to coupon": Change((("string voucher", "string coupon"),), {"voucher": None, "coupon": "SPRING"}),
    "rename STATUS_PAID": Change((("STATUS_PAID", "STATUS_SETTLED"),), {"status": "STATUS_SETTLED"}),
    "points become int64": Change((("int32 points", "int64 points"),), {"points": "5000000000"},
                                  {"points": 5_000_000_000}),
    "id and customer change places": Change((("string id = 1", "string customer = 1"),
                                             ("string customer = 2", "string id = 2"))),
    "delete, then use the number again": Change((("string voucher = 6", "string phone = 6"),),
                                                {"voucher": None, "phone": "555-0199"}, {"voucher": None}),
    "points become sint32": Change((("int32 points", "sint32 points"),)),
    "total becomes a string": Change((("Money total", "string total"),), {"total": "12.50 EUR"}),
    "cents counts tenths, says a comment": Change((("int64 cents", "// Tenths of a cent.\n  int64 cents"),),
                                                  {"total": {"cents": "12500", "currency": "EUR"}}),
}


def readings(change: Change) -> tuple[str, str]:
    """What the old reader makes of the new order's bytes, and of its JSON."""
    from google.protobuf import json_format
    new, old = (buf.classes(buf.build(files))["Order"] for files in (change.module(), buf.module()))
    order = json_format.ParseDict(change.written(), new())
    binary = _reading(lambda: old.FromString(order.SerializeToString()), change)
    return binary, _reading(lambda: json_format.Parse(json_format.MessageToJson(order), old()), change)


def _reading(read, change: Change) -> str:
    """`the same`, what it refuses, or which fields have another value than the writer meant."""
    from google.protobuf import json_format
    from google.protobuf.message import DecodeError
    try:
        order = read()
    except DecodeError:
        return "stops: not readable"
    except json_format.ParseError:
        return "stops: refuses it"
    seen = json_format.MessageToDict(order)
    wrong = [f"{name} is {_value(seen.get(name))}" for name in PLACED if seen.get(name) != change.truth().get(name)]
    return ", ".join(wrong) or "the same"


def _value(value) -> str:
    if isinstance(value, dict):
        return " ".join(map(str, value.values())) or "empty"
    return "missing" if value is None else str(value)


def table() -> pd.DataFrame:
    """Each change: which levels object, and what happens to a reader of the old schema."""
    rows = {}
    for name, change in CHANGES.items():
        objecting = buf.objecting(change.module(), buf.module())
        rows[name] = [*("objects" if level in objecting else "" for level in LEVELS), *readings(change)]
    return pd.DataFrame.from_dict(rows, orient="index", columns=[*LEVELS, "old reader, bytes", "old reader, JSON"])
