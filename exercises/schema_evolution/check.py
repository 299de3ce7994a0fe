"""The checks of the exercise: what each one asks, and by which rules it judges.

In a notebook, `check.wire(reads)` asks and shows the verdict. A grader passes seeds nobody has seen and a file to
record into, and judges that record in its own process with `judge`.
"""
import random
from collections.abc import Callable, Iterator
from dataclasses import replace

from exercises.attack import Verdict
from exercises.attack.checks import PUBLIC, Check, Exercise

from . import changes, rules
from .changes import OF_ONEOFS, OF_REQUIRED, OF_VALUES, RETYPED, Change, retyped
from .schema import Schema
from .stage import Plan, Run, perform, plan_of
from .truth import BINARY, ENCODINGS, JSON

OF_NUMBERS = (changes.add, changes.delete, changes.rename, changes.renumber, changes.swap, changes.reuse,
              changes.reuse_otherwise)
OF_TYPES = tuple(retyped(*types) for types in RETYPED)
PARTS = ("required", "enum", "oneof")


def changed(rng: random.Random, change: Change, *parts: str) -> tuple[Schema, Schema]:
    """Some schema, and the same after a change."""
    while True:
        old = changes.base(rng, *parts)
        new = change(old, rng)
        if new != old:
            return old, new


def both_ways(rng, all_changes, encoding: str, *parts: str) -> Iterator[tuple[Plan, bool]]:
    """Each change twice: a new reader of old records, and an old reader of new ones."""
    for change in all_changes:
        old, new = changed(rng, change, *parts)
        for writer, reader, way in ((old, new, "The reader is the new one."), (new, old, "The reader is the old one.")):
            yield Plan("reads", (writer,), reader, encoding, f"{change.__doc__} {way}", rng.randrange(1000)), False


def wire_plans(rng) -> Iterator[tuple[Plan, bool]]:
    yield from both_ways(rng, (*OF_NUMBERS, *OF_TYPES), BINARY)


def required_plans(rng) -> Iterator[tuple[Plan, bool]]:
    yield from both_ways(rng, (*OF_REQUIRED, changes.delete, changes.add), BINARY, "required")


def values_plans(rng) -> Iterator[tuple[Plan, bool]]:
    yield from both_ways(rng, OF_VALUES, BINARY, "required", "enum")


def oneofs_plans(rng) -> Iterator[tuple[Plan, bool]]:
    yield from both_ways(rng, OF_ONEOFS, BINARY, "oneof")


def json_plans(rng) -> Iterator[tuple[Plan, bool]]:
    yield from both_ways(rng, (*OF_NUMBERS, changes.swap_names, changes.reuse_name, changes.reuse_name_otherwise,
                               *OF_TYPES, *OF_REQUIRED, *OF_VALUES,
                               *OF_ONEOFS), JSON, *PARTS)


# Histories

def evolved(rng: random.Random, *parts: str) -> tuple[Schema, ...]:
    """Two or three versions, each of which reads what all the others write; one lost a text without reserving it."""
    versions = [changes.base(rng, *parts)]
    while changes.plain(versions[0], rng, "string") is None:
        versions = [changes.base(rng, *parts)]
    lost = changes.plain(versions[0], rng, "string")
    versions.append(replace(versions[0], fields=tuple(each for each in versions[0].fields if each != lost)))
    if rng.random() < 0.5:
        new = replace(changes.fresh(versions[0], rng), number=changes.free(versions[0]))
        versions.append(with_field(versions[-1], new))
    return tuple(versions)


def lost(past: tuple[Schema, ...]):
    """The field that the first version has and the last has not."""
    return next(field for field in past[0].fields if not past[-1].meaning(field.means))


def take_number(past: tuple[Schema, ...], rng) -> Schema:
    """A new field takes the number of one that was deleted two versions ago."""
    return with_field(past[-1], replace(lost(past), name="locker", means="locker"))


def take_name(past: tuple[Schema, ...], rng) -> Schema:
    """A new field takes the name of one that was deleted two versions ago."""
    return with_field(past[-1], replace(lost(past), number=max(map(changes.free, past)), means="locker"))


def with_field(schema: Schema, field) -> Schema:
    return replace(schema, fields=(*schema.fields, field))


def last(change: Change) -> Callable:
    """A change of the last version."""
    def of_last(past: tuple[Schema, ...], rng) -> Schema:
        return change(past[-1], rng)
    of_last.__doc__ = change.__doc__
    return of_last


HISTORIES = (take_number, take_name,
             *map(last, (changes.add, changes.retire, changes.require, changes.relax, changes.rename, changes.swap,
                         changes.add_value, changes.gather)))


def history_plans(rng) -> Iterator[tuple[Plan, bool]]:
    for change in HISTORIES:
        for encoding in ENCODINGS:
            past = evolved(rng, *PARTS)
            yield Plan("compatibility", past, change(past, rng), encoding, change.__doc__, rng.randrange(1000)), False


def storm_plans(rng) -> Iterator[tuple[Plan, bool]]:
    for _ in range(40):
        versions = [changes.base(rng, *rng.sample(PARTS, rng.randrange(4)))]
        told = []
        for change in rng.sample((*changes.EVERY, *OF_TYPES), rng.randrange(2, 5)):
            after = change(versions[-1], rng)
            if after != versions[-1]:
                told.append(change.__doc__)
                versions.append(after)
        past = tuple(rng.sample(versions[:-1] or versions, min(2, max(1, len(versions) - 1))))
        words = " ".join(told) or "Nothing."
        yield Plan("compatibility", past, versions[-1], rng.choice(ENCODINGS), words, rng.randrange(1000)), False


# Repairs

def as_text(past: tuple[Schema, ...], rng) -> Schema:
    """A field becomes a text in other units, under its old number and name."""
    old = changes.plain(past[-1], rng, "int32", "int64", "uint32", "sint64", "double", "bool")
    return changes.put(past[-1], old, type="string", means=f"{old.means} in words") if old else past[-1]


def id_as_number(past: tuple[Schema, ...], rng) -> Schema:
    """The required id becomes a number, under its old number and name."""
    old = next(each for each in past[-1].fields if each.required)
    return changes.put(past[-1], old, type="int64", means="id as a number")


REPAIRS = (take_number, take_name, as_text, id_as_number,
           *map(last, (changes.rename, changes.swap, changes.renumber, changes.require, changes.add_required,
                       changes.drop_required, changes.gather, changes.delete)))


def repair_plans(rng) -> Iterator[tuple[Plan, bool]]:
    for change in REPAIRS:
        new = past = None
        while past is None or new == past[-1]:
            past = evolved(rng, "required", "oneof")
            new = change(past, rng)
        yield Plan("repair", past, new, BINARY, change.__doc__, rng.randrange(1000)), False


ANSWERED = (rules.error, rules.no_verdict, rules.credulous, rules.overcautious)
CHECKS = {
    "wire": Check(("reads",), wire_plans, ANSWERED),
    "required": Check(("reads",), required_plans, ANSWERED),
    "values": Check(("reads",), values_plans, ANSWERED),
    "oneofs": Check(("reads",), oneofs_plans, ANSWERED),
    "json": Check(("reads",), json_plans, ANSWERED),
    "history": Check(("reads", "compatibility"), history_plans, ANSWERED),
    "repair": Check(("repair",), repair_plans,
                    (rules.error, rules.no_schema, rules.breaks, rules.loses, rules.hoards, rules.unreserved)),
    "storm": Check(("reads", "compatibility"), storm_plans, ANSWERED),
}


def fewer(plan: Plan) -> Iterator[Plan]:
    """The same question with one version less, or without one of the things that its schemas are about.

    Of a repair only what all versions have alike is taken away: the rest is what it is about.
    """
    schemas, whole = (*plan.past, plan.new), plan.program == "repair"
    if len(plan.past) > 1 and not whole:
        yield from (replace(plan, past=plan.past[:n] + plan.past[n + 1:]) for n in range(len(plan.past)))
    for field in dict.fromkeys(field for schema in schemas for field in schema.fields):
        if whole and not all(field in schema.fields for schema in schemas):
            continue
        *past, new = (without(schema, field.means) for schema in schemas)
        yield replace(plan, past=tuple(past), new=new)


def without(schema: Schema, means: str) -> Schema:
    """A schema that has no field for something."""
    return replace(schema, fields=tuple(field for field in schema.fields if field.means != means))


EXERCISE = Exercise(CHECKS, rules, perform, Run, plan_of, fewer)
attack, finding, verdict, judge = EXERCISE.attack, EXERCISE.finding, EXERCISE.verdict, EXERCISE.judge
shrunk, attacked = EXERCISE.shrunk, EXERCISE.attacked


def wire(reads, *, seeds=PUBLIC, record=None) -> Verdict:
    """Whether a reader of bytes understands a writer: numbers and types."""
    return attacked("wire", seeds, record, reads=reads)


def required(reads, *, seeds=PUBLIC, record=None) -> Verdict:
    """The same, where something is required."""
    return attacked("required", seeds, record, reads=reads)


def values(reads, *, seeds=PUBLIC, record=None) -> Verdict:
    """The same, where the values of an enum change."""
    return attacked("values", seeds, record, reads=reads)


def oneofs(reads, *, seeds=PUBLIC, record=None) -> Verdict:
    """The same, where fields move into a oneof or out of one."""
    return attacked("oneofs", seeds, record, reads=reads)


def json(reads, *, seeds=PUBLIC, record=None) -> Verdict:
    """Whether a reader of JSON understands a writer."""
    return attacked("json", seeds, record, reads=reads)


def history(reads, compatibility, *, seeds=PUBLIC, record=None) -> Verdict:
    """A new version against all that came before it."""
    return attacked("history", seeds, record, reads=reads, compatibility=compatibility)


def repair(repair, *, seeds=PUBLIC, record=None) -> Verdict:
    """The repaired schema does what the new one wants and hurts no reader, of bytes or of JSON."""
    return attacked("repair", seeds, record, repair=repair)


def storm(reads, compatibility, *, seeds=PUBLIC, record=None) -> Verdict:
    """Several changes at once, at random."""
    return attacked("storm", seeds, record, reads=reads, compatibility=compatibility)
