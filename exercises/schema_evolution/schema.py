"""The small model of Protobuf schemas that is judged: a message of numbered fields, an enum, and what is reserved."""
from collections.abc import Iterator
from dataclasses import dataclass

TYPES = ("bool", "int32", "uint32", "int64", "sint64", "double", "string", "bytes", "enum")


@dataclass(frozen=True)
class Field:
    """One field. `means` is what its value stands for, known to people and to no decoder; without it, the name says it.

    `required` is a convention, not Protobuf: such a writer always sets it, such a reader refuses a record without it.
    Of the fields that name the same `oneof`, a writer sets at most one.
    """
    number: int
    name: str
    type: str
    means: str = ""
    required: bool = False
    oneof: str = ""

    def __post_init__(self):
        if self.type not in TYPES:
            raise ValueError(f"type: {self.type!r} of field {self.name} is not one of {', '.join(TYPES)}")
        object.__setattr__(self, "means", self.means or self.name)


@dataclass(frozen=True)
class Value:
    """One value of the enum; `means` as for a field. Number 0 is what a reader sees where nothing was written."""
    number: int
    name: str
    means: str = ""

    def __post_init__(self):
        object.__setattr__(self, "means", self.means or self.name)


@dataclass(frozen=True)
class Schema:
    """One version of the message: its fields, the values of its enum, numbers and names that nobody may use again."""
    fields: tuple[Field, ...]
    values: tuple[Value, ...] = ()
    reserved: tuple[int | str, ...] = ()

    def __post_init__(self):
        for name in ("fields", "values", "reserved"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        problem = next(problems(self), None)
        if problem:
            raise ValueError(problem)

    def meaning(self, means: str) -> Field | None:
        """The field that stands for something, if there is one."""
        return next((field for field in self.fields if field.means == means), None)


def problems(schema: Schema) -> Iterator[str]:
    """What a compiler would refuse: something used twice, or although it is reserved."""
    for what in ("number", "name", "means"):
        yield from twice("fields", what, schema.fields)
        yield from twice("values", what, schema.values)
    for field in schema.fields:
        if {field.number, field.name} & set(schema.reserved):
            yield f"reserved: field {field.name} = {field.number} uses what is reserved"


def twice(kind: str, what: str, things: tuple) -> Iterator[str]:
    found = [getattr(thing, what) for thing in things]
    yield from (f"{kind}: {what} {each!r} is used twice" for each in dict.fromkeys(found) if found.count(each) > 1)
