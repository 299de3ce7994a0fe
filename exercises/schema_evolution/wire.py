"""Protobuf's two encodings for this small model, so that what a reader reads need not be believed (protobuf.dev,
"Encoding" and "ProtoJSON Format"). Binary carries numbers and no names; JSON carries names and no numbers.

Left out: nested messages, repeated fields, groups. Readers of JSON skip names they do not know, of fields and of the
enum's values, which real ones do when told to (`ignore_unknown_fields`). A record is a dictionary by field name; what
is absent is read as its type's zero.
"""
import base64
import struct
from collections.abc import Iterator

from .schema import Field, Schema

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
WIRE_TYPES = {"double": FIXED64, "string": LENGTH, "bytes": LENGTH}  # all others: VARINT
ZEROS = {"bool": False, "double": 0.0, "string": "", "bytes": b""}                        # all others: 0
QUOTED = ("int64", "sint64")  # in JSON, where numbers of 64 bits would be rounded
BOUNDS = {"int32": (-2**31, 2**31), "enum": (-2**31, 2**31), "uint32": (0, 2**32), "int64": (-2**63, 2**63),
          "sint64": (-2**63, 2**63)}


class Unreadable(Exception):
    """A reader gives up on a record."""


def wire_type(field: Field) -> int:
    """What a tag says about how the value is to be skipped by those who do not know its number."""
    return WIRE_TYPES.get(field.type, VARINT)


def zero(field: Field):
    """What a reader sees where nothing was written."""
    return ZEROS.get(field.type, 0)


# Binary

def encode(schema: Schema, record: dict) -> bytes:
    """A record as bytes: a tag and a value for each field that is set; zeros are not written, except in a oneof."""
    written = [field for field in sorted(schema.fields, key=lambda field: field.number)
               if field.name in record and (field.oneof or record[field.name] != zero(field))]
    return b"".join(varint(field.number << 3 | wire_type(field)) + value_bytes(field, record[field.name])
                    for field in written)


def value_bytes(field: Field, value) -> bytes:
    """A value behind its tag."""
    if field.type in ("string", "bytes"):
        data = value.encode() if field.type == "string" else value
        return varint(len(data)) + data
    if field.type == "double":
        return struct.pack("<d", value)
    if field.type == "sint64":
        value = 2 * value if value >= 0 else -2 * value - 1  # zigzag: small negative numbers stay small
    return varint(int(value) % 2**64)


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    more, low = divmod(number, 128)
    return bytes([low | 128]) + varint(more) if more else bytes([low])


def fields(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """What stands in bytes, without any schema: (number, wire type, value), until it makes no sense any more."""
    while data:
        tag, data = taken(data)
        number, kind = divmod(tag, 8)
        if number == 0:
            raise Unreadable("a field has the number 0")
        if kind == VARINT:
            value, data = taken(data)
        elif kind in (FIXED64, FIXED32, LENGTH):
            size, data = taken(data) if kind == LENGTH else ({FIXED64: 8, FIXED32: 4}[kind], data)
            value, data, missing = data[:size], data[size:], size - len(data)
            if missing > 0:
                raise Unreadable(f"the record ends {missing} bytes too early")
        else:
            raise Unreadable(f"field {number} has the wire type {kind}")
        yield number, kind, value


def taken(data: bytes) -> tuple[int, bytes]:
    """A varint from the beginning of some bytes, and the rest."""
    end = next((place for place, byte in enumerate(data[:10]) if byte < 128), None)
    if end is None:
        raise Unreadable("a number has no end")
    return sum((byte & 127) << 7 * place for place, byte in enumerate(data[:end + 1])) % 2**64, data[end + 1:]


def decode(schema: Schema, data: bytes) -> dict:
    """A record as a reader reads it: unknown numbers and unexpected wire types are skipped, the last one counts."""
    known = {(field.number, wire_type(field)): field for field in schema.fields}
    record = {}
    for number, kind, value in fields(data):
        if field := known.get((number, kind)):
            for other in schema.fields:
                if field.oneof and other.oneof == field.oneof:
                    record.pop(other.name, None)
            record[field.name] = meaning(field, value)
    return record


def meaning(field: Field, value):
    """What a reader takes a raw value for."""
    if field.type == "string":
        return text(value)
    if field.type == "double":
        return struct.unpack("<d", value)[0]
    if field.type == "sint64":
        return value // 2 if value % 2 == 0 else -(value + 1) // 2
    if field.type == "bool":
        return value != 0
    return value if field.type == "bytes" else wrapped(field, value)


def text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Unreadable("a text is not UTF-8") from None


def wrapped(field: Field, value: int) -> int:
    """The lowest bits of a number, as many as the type has."""
    low, high = BOUNDS[field.type]
    return (value - low) % (high - low) + low


# JSON

def to_json(schema: Schema, record: dict) -> dict:
    """A record as the object that a JSON text would hold."""
    return {field.name: json_value(schema, field, record[field.name]) for field in schema.fields
            if field.name in record and (field.oneof or record[field.name] != zero(field))}


def json_value(schema: Schema, field: Field, value):
    if field.type == "enum":
        return next((each.name for each in schema.values if each.number == value), value)
    if field.type == "bytes":
        return base64.b64encode(value).decode()
    return str(value) if field.type in QUOTED else value


def from_json(schema: Schema, given: dict) -> dict:
    """A record as a reader of JSON reads it; it refuses values it cannot take."""
    known = {field.name: field for field in schema.fields}
    record, sets = {}, set()
    for name, value in given.items():
        if (field := known.get(name)) and not unheard_of(schema, field, value):
            if field.oneof in sets:
                raise Unreadable(f"two fields of the oneof {field.oneof} are set")
            sets |= {field.oneof} - {""}
            record[name] = json_meaning(schema, field, value)
    return record


def json_meaning(schema: Schema, field: Field, value):
    """What a reader takes a JSON value for."""
    if field.type in ("bool", "string"):
        return of_class(field, value, bool if field.type == "bool" else str)
    if field.type == "bytes":
        return decoded(field, of_class(field, value, str))
    if field.type == "enum" and isinstance(value, str):
        return next(each.number for each in schema.values if each.name == value)
    return number(field, value)


def of_class(field: Field, value, kind: type):
    if not isinstance(value, kind):
        raise Unreadable(f"{field.name}: {value!r} is no {field.type}")
    return value


def decoded(field: Field, value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        raise Unreadable(f"{field.name}: {value!r} is not base64") from None


def unheard_of(schema: Schema, field: Field, value) -> bool:
    """Whether a name that arrives for the enum is none of its values'."""
    return field.type == "enum" and isinstance(value, str) and value not in {each.name for each in schema.values}


def number(field: Field, value) -> int | float:
    """A number, also one in quotation marks; whole and within bounds unless it is a double."""
    try:
        found = float(value) if field.type == "double" else whole(value)
    except (TypeError, ValueError):
        raise Unreadable(f"{field.name}: {value!r} is no {field.type}") from None
    low, high = BOUNDS.get(field.type, (-float("inf"), float("inf")))
    if not low <= found < high or isinstance(value, bool):
        raise Unreadable(f"{field.name}: {value!r} is no {field.type}")
    return found


def whole(value) -> int:
    """12, 12.0 and "12" are whole numbers."""
    if isinstance(value, float) and value != int(value):
        raise ValueError(value)
    return int(value)
