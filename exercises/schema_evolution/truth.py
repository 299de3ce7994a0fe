"""What is true of two schemas: records are written by the one and read by the other, and what was meant is compared.

Nothing here knows a rule of compatibility. A pair of schemas is sound if every record of `records` comes through: the
values at which types differ, each alone and all together.
"""
import json
import random
from collections.abc import Iterator
from functools import lru_cache

from .schema import Field, Schema
from .wire import Unreadable, decode, encode, from_json, to_json, zero

BINARY, JSON = ENCODINGS = ("binary", "json")
EDGES = {"bool": (True,), "int32": (1, -1, 2**31 - 1, -2**31), "uint32": (1, 7, 2**31, 2**32 - 1),
         "int64": (1, -1, 5 * 10**9, -2**63, 2**63 - 1), "sint64": (1, -1, 5 * 10**9, -2**63, 2**63 - 1),
         "double": (0.5, -3.0, 1e300), "string": ("ada", "\u20ac 5", "true", "AAAA"), "bytes": (b"ada", b"\xff\xfe")}
NUMBERS = (bool, int, float)


def edges(schema: Schema, field: Field) -> tuple:
    """The values of a field that are worth trying."""
    known = tuple(value.number for value in schema.values if value.number)
    return known if field.type == "enum" else EDGES[field.type]


def records(schema: Schema, seed: int) -> Iterator[dict]:
    """Records that a program with a schema may write: hardly any field set, each edge alone, and everything at once."""
    rng = random.Random(f"records {seed}")
    least = {field.name: rng.choice(edges(schema, field)) for field in schema.fields if field.required}
    yield least
    for field in schema.fields:
        for value in edges(schema, field):
            yield {**least, field.name: value}
    for _ in range(6):
        fields = rng.sample(schema.fields, len(schema.fields))  # of a oneof, the last one is set
        chosen = {field.oneof or field.name: field for field in fields if edges(schema, field)}
        yield {field.name: rng.choice(edges(schema, field)) for field in chosen.values()}


def sent(writer: Schema, reader: Schema, record: dict, encoding: str) -> tuple[bytes | dict, dict]:
    """What goes over the wire, and what the reader reads; raises `Unreadable`."""
    if encoding == BINARY:
        data = encode(writer, record)
        return data, decode(reader, data)
    given = to_json(writer, record)
    return given, from_json(reader, given)


def misreading(writer: Schema, reader: Schema, record: dict, encoding: str) -> str:
    """What goes wrong with one record, in a sentence; nothing if it means the same to both."""
    try:
        _, read = sent(writer, reader, record, encoding)
    except Unreadable as error:
        return f"the reader gives up: {error}"
    for field in reader.fields:
        got, theirs = read.get(field.name, zero(field)), writer.meaning(field.means)
        if field.required and got == zero(field):
            return f"the reader refuses a record without {field.name}, which is required"
        meant = record.get(theirs.name, zero(theirs)) if theirs else zero(field)
        if not alike(writer, theirs, meant, reader, field, got):
            return f"the reader takes {field.name} for {told(reader, field, got)}; {wanted(writer, theirs, meant)}"
    return ""


def alike(writer: Schema, theirs: Field | None, meant, reader: Schema, field: Field, got) -> bool:
    """Whether a value means to the reader what it meant to the writer; true counts as 1, and text as its bytes."""
    if theirs and theirs.type == field.type == "enum":
        return means(reader, got) in ("", means(writer, meant))  # what the reader does not know is told apart
    if isinstance(meant, NUMBERS) and isinstance(got, NUMBERS):
        return meant == got
    as_bytes = [value.encode() if isinstance(value, str) else value for value in (meant, got)]
    return as_bytes[0] == as_bytes[1]


def means(schema: Schema, number: int) -> str:
    """What a value of the enum stands for; nothing if the schema does not know it."""
    return next((value.means for value in schema.values if value.number == number), "")


def told(schema: Schema, field: Field, value) -> str:
    """A value in words."""
    return (means(schema, value) or str(value)) if field.type == "enum" else repr(value)


def wanted(writer: Schema, theirs: Field | None, meant) -> str:
    return f"the writer meant {told(writer, theirs, meant)}" if theirs else "the writer has no such thing"


@lru_cache(1 << 14)  # the same pairs are tried by the stage and by the rules
def example(writer: Schema, reader: Schema, encoding: str, seed: int = 0) -> tuple[dict, str] | None:
    """The first record that does not come through, and what goes wrong; None if all do."""
    found = ((record, misreading(writer, reader, record, encoding)) for record in records(writer, seed))
    return next(((record, wrong) for record, wrong in found if wrong), None)


def verdict(past, new: Schema, encoding: str, seed: int = 0) -> str:
    """Whether the new schema reads all of the past (backward), all of the past reads the new one (forward), or both."""
    backward = not any(example(old, new, encoding, seed) for old in past)
    forward = not any(example(new, old, encoding, seed) for old in past)
    return {(True, True): "full", (True, False): "backward", (False, True): "forward"}.get((backward, forward), "none")


def shown(writer: Schema, record: dict, encoding: str) -> str:
    """A record as it travels: bytes in hexadecimal, or JSON."""
    return encode(writer, record).hex(" ") if encoding == BINARY else json.dumps(to_json(writer, record))
