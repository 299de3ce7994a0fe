"""Schemas, and ways to change them: each takes a schema and a source of randomness, and returns the changed one.

A change applies to whatever fields a schema has; where it cannot, it returns the schema as it was.
"""
import random
from collections.abc import Callable
from dataclasses import replace

from .schema import Field, Schema, Value

Change = Callable[[Schema, random.Random], Schema]

TEXTS = ("customer", "voucher", "note", "city", "phone", "carrier")
OTHERS = (("points", "int32"), ("cents", "int64"), ("weight", "double"), ("gift", "bool"), ("seal", "bytes"),
          ("delta", "sint64"), ("pieces", "uint32"))
STATUS = (Value(0, "UNSPECIFIED"), Value(1, "PLACED"), Value(2, "PAID"), Value(3, "SHIPPED"))
NEW = (("gate", "string"), ("floor", "int32"), ("colour", "string"))
INSTEAD = ("locker", "parcel", "depot", "till")  # what takes a number or a name that something else had
WAYS = ("card", "iban", "wallet")


def base(rng: random.Random, *with_: str) -> Schema:
    """A schema of some texts and some numbers, with `required`, `enum` and `oneof` if they are named."""
    kinds = [(name, "string") for name in rng.sample(TEXTS, 3)] + rng.sample(OTHERS, 2)
    numbers = iter(rng.sample(range(1, 31), 12))
    fields = [Field(next(numbers), name, kind) for name, kind in kinds]
    if "required" in with_:
        fields += [Field(next(numbers), "id", "string", required=True)]
    if "oneof" in with_:
        fields += [Field(next(numbers), name, "string", oneof="payment") for name in WAYS[:2]]
    if "enum" in with_:
        fields += [Field(next(numbers), "status", "enum")]
    return Schema(tuple(fields), STATUS if "enum" in with_ else ())


# Helpers

def free(schema: Schema) -> int:
    """A number that nobody uses."""
    return max([field.number for field in schema.fields] + [each for each in schema.reserved if type(each) is int]) + 1


def put(schema: Schema, old: Field, **changes) -> Schema:
    """The schema with one field changed."""
    return replace(schema, fields=tuple(replace(each, **changes) if each == old else each for each in schema.fields))


def plain(schema: Schema, rng: random.Random, *types: str) -> Field | None:
    """Some field of these types that is neither required nor in a oneof nor the status."""
    found = [each for each in schema.fields if (each.type in types or not types)
             and not (each.required or each.oneof or each.means == "status")]
    return rng.choice(found) if found else None


def pair(schema: Schema, rng: random.Random) -> list[Field]:
    """Two texts that are neither required nor in a oneof."""
    found = [each for each in schema.fields if each.type == "string" and not (each.required or each.oneof)]
    return rng.sample(found, 2) if len(found) > 1 else []


def known(schema: Schema) -> set:
    """The names and meanings that a schema uses, or used and reserves."""
    return {name for field in schema.fields for name in (field.name, field.means)} | set(schema.reserved)


def other(schema: Schema) -> str:
    """Something that the schema knows nothing of."""
    return next(name for name in INSTEAD if name not in known(schema))


def fresh(schema: Schema, rng: random.Random, **more) -> Field | None:
    """A field for something that the schema does not have yet."""
    names = [each for each in NEW if each[0] not in known(schema)]
    return Field(free(schema), *rng.choice(names), **more) if names else None


# Fields

def add(schema: Schema, rng: random.Random) -> Schema:
    """A new field under a new number."""
    new = fresh(schema, rng)
    return replace(schema, fields=(*schema.fields, new)) if new else schema


def delete(schema: Schema, rng: random.Random) -> Schema:
    """A field is gone, and nothing is reserved."""
    old = plain(schema, rng)
    return replace(schema, fields=tuple(each for each in schema.fields if each != old))


def retire(schema: Schema, rng: random.Random) -> Schema:
    """A field is gone, its number and its name are reserved."""
    old = plain(schema, rng)
    left = tuple(each for each in schema.fields if each != old)
    return Schema(left, schema.values, (*schema.reserved, old.number, old.name)) if old else schema


def renumber(schema: Schema, rng: random.Random) -> Schema:
    """A field gets another number."""
    old = plain(schema, rng)
    return put(schema, old, number=free(schema)) if old else schema


def rename(schema: Schema, rng: random.Random) -> Schema:
    """A field gets another name and stands for the same."""
    old = plain(schema, rng)
    return put(schema, old, name=f"{old.name}_v2") if old else schema


def swap(schema: Schema, rng: random.Random) -> Schema:
    """Two texts exchange their numbers."""
    two = pair(schema, rng)
    numbers = {two[0]: two[1].number, two[1]: two[0].number} if two else {}
    return replace(schema, fields=tuple(replace(each, number=numbers.get(each, each.number)) for each in schema.fields))


def swap_names(schema: Schema, rng: random.Random) -> Schema:
    """Two texts exchange their names."""
    two = pair(schema, rng)
    names = {two[0]: two[1].name, two[1]: two[0].name} if two else {}
    return replace(schema, fields=tuple(replace(each, name=names.get(each, each.name)) for each in schema.fields))


def reuse(schema: Schema, rng: random.Random) -> Schema:
    """A text's number goes to another text."""
    old = plain(schema, rng, "string")
    return put(schema, old, name=other(schema), means=other(schema)) if old else schema


def reuse_otherwise(schema: Schema, rng: random.Random) -> Schema:
    """A text's number goes to a number: readers skip what has another wire type than they expect."""
    old = plain(schema, rng, "string")
    return put(schema, old, name=other(schema), means=other(schema), type="int64") if old else schema


def reuse_name(schema: Schema, rng: random.Random) -> Schema:
    """A text's name goes to something else under a new number."""
    old = plain(schema, rng, "string")
    return put(schema, old, number=free(schema), means=other(schema)) if old else schema


def reuse_name_otherwise(schema: Schema, rng: random.Random) -> Schema:
    """A text's name goes to a number, under a new number of its own."""
    old = plain(schema, rng, "string")
    return put(schema, old, number=free(schema), means=other(schema), type="int64") if old else schema


def retyped(before: str, after: str) -> Change:
    """A field of a type gets another type and stands for the same."""
    def change(schema: Schema, rng: random.Random) -> Schema:
        old = plain(schema, rng, before)
        return put(schema, old, type=after) if old else schema
    named = {"bytes": "field of bytes"}.get(before, before)
    change.__doc__ = f"{'An' if named[0] in 'aeiou' else 'A'} {named} becomes {after}."
    return change


# What is required

def require(schema: Schema, rng: random.Random) -> Schema:
    """A field is required from now on."""
    old = plain(schema, rng)
    return put(schema, old, required=True) if old else schema


def relax(schema: Schema, rng: random.Random) -> Schema:
    """A required field may be left out from now on."""
    old = next((each for each in schema.fields if each.required), None)
    return put(schema, old, required=False) if old else schema


def add_required(schema: Schema, rng: random.Random) -> Schema:
    """A new field, and it is required."""
    new = fresh(schema, rng, required=True)
    return replace(schema, fields=(*schema.fields, new)) if new else schema


def drop_required(schema: Schema, rng: random.Random) -> Schema:
    """A required field is gone."""
    return replace(schema, fields=tuple(each for each in schema.fields if not each.required))


# The enum

def valued(schema: Schema, values) -> Schema:
    return replace(schema, values=tuple(values)) if schema.values else schema


def add_value(schema: Schema, rng: random.Random) -> Schema:
    """The enum gets one more value."""
    return valued(schema, (*schema.values, Value(9, "RETURNED")))


def delete_value(schema: Schema, rng: random.Random) -> Schema:
    """A value of the enum is gone."""
    return valued(schema, schema.values[:-1])


def rename_value(schema: Schema, rng: random.Random) -> Schema:
    """A value of the enum gets another name and stands for the same."""
    return valued(schema, (replace(each, name="SETTLED") if each.means == "PAID" else each for each in schema.values))


def reuse_value(schema: Schema, rng: random.Random) -> Schema:
    """The number of a value goes to another value."""
    return valued(schema, (Value(each.number, "LOST") if each.means == "PAID" else each for each in schema.values))


def new_zero(schema: Schema, rng: random.Random) -> Schema:
    """Zero, which is read where nothing was written, stands for something else."""
    return valued(schema, (replace(each, means="PLACED BY PHONE") if each.number == 0 else each
                           for each in schema.values))


def enum_as_number(schema: Schema, rng: random.Random) -> Schema:
    """The enum's field becomes an int32."""
    old = next((each for each in schema.fields if each.type == "enum"), None)
    return put(schema, old, type="int32") if old else schema


# Oneofs

def gather(schema: Schema, rng: random.Random) -> Schema:
    """Two fields that could both be set move into a oneof."""
    two = pair(schema, rng)
    together = (replace(each, oneof="contact") if each in two else each for each in schema.fields)
    return replace(schema, fields=tuple(together))


def gather_one(schema: Schema, rng: random.Random) -> Schema:
    """One field moves into a oneof of its own."""
    old = plain(schema, rng, "string")
    return put(schema, old, oneof="extra") if old else schema


def join(schema: Schema, rng: random.Random) -> Schema:
    """A field moves into a oneof that others are in."""
    old = plain(schema, rng, "string")
    return put(schema, old, oneof="payment") if old else schema


def scatter(schema: Schema, rng: random.Random) -> Schema:
    """A oneof is dissolved."""
    return replace(schema, fields=tuple(replace(each, oneof="") for each in schema.fields))


def add_way(schema: Schema, rng: random.Random) -> Schema:
    """A oneof gets a new field."""
    new = Field(free(schema), WAYS[2], "string", oneof="payment")
    wanted = "card" in known(schema) and WAYS[2] not in known(schema)
    return replace(schema, fields=(*schema.fields, new)) if wanted else schema


RETYPED = (("int32", "int64"), ("int64", "int32"), ("int32", "uint32"), ("uint32", "int64"), ("int64", "sint64"),
           ("bool", "int32"), ("int32", "bool"), ("string", "bytes"), ("bytes", "string"), ("int64", "double"),
           ("int32", "double"), ("int64", "string"), ("int32", "string"))
OF_FIELDS = (add, delete, retire, renumber, rename, swap, swap_names, reuse, reuse_otherwise, reuse_name,
             reuse_name_otherwise)
OF_REQUIRED = (require, relax, add_required, drop_required)
OF_VALUES = (add_value, delete_value, rename_value, reuse_value, new_zero, enum_as_number)
OF_ONEOFS = (gather, gather_one, join, scatter, add_way)
EVERY = (*OF_FIELDS, *OF_REQUIRED, *OF_VALUES, *OF_ONEOFS)
