"""The stage: a question about schemas, the answer, and what readers really make of the records in question.

`perform(plan, functions)` asks once and returns what could be seen. A plan names the program that is asked:

    reads           whether a reader (`new`) understands all that a writer (the only version in `past`) can write
    compatibility   whether `new` reads the past, the past reads `new`, both, or neither
    repair          for a schema that does what `new` wants, and hurts nobody
"""
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from exercises.attack.runs import Evidence, plain

from .schema import Field, Schema, Value
from .truth import BINARY, ENCODINGS, example, shown


@dataclass(frozen=True)
class Plan:
    """One question: all versions so far, the new one, how it came about, and the seed of the records that are tried."""
    program: str
    past: tuple[Schema, ...]
    new: Schema
    encoding: str = BINARY
    change: str = ""
    seed: int = 0


@dataclass
class Run(Evidence):
    """What was answered."""
    answer: object


def perform(plan: Plan, functions: dict) -> Run:
    """Ask, and try out what was asked about; a repair is asked for afterwards, since what hurts is what it is given."""
    given, asked = [{"who": "you", "what": line} for line in versions(plan)], []
    answer, tried = answered(plan, functions[plan.program], asked), list(trials(plan))
    events = given + (tried + asked if plan.program == "repair" else asked + tried)
    return Run(plan=plain(asdict(plan)), steps=0, events=plain(events), answer=plain(answer))


def answered(plan: Plan, function, events: list[dict]):
    """What a function says; how the call ended is noted."""
    about = "writer, reader" if plan.program == "reads" else "past, new"
    arguments = (*plan.past, plan.new) if plan.program == "reads" else (plan.past, plan.new)
    if plan.program != "repair":
        about, arguments = f"{about}, {plan.encoding!r}", (*arguments, plan.encoding)
    call = {"who": "you", "what": "call", "call": plan.program, "about": about, "outcome": "ok"}
    events.append(call)
    try:
        answer = function(*arguments)
    except (Exception, SystemExit) as error:
        call.update(outcome="fail", error=type(error).__name__, message=str(error))
        return None
    if isinstance(answer, Schema):
        events.append({"who": "you", "what": f"repaired: {line(answer)}"})
        return asdict(answer)
    return answer


def pairs(plan: Plan) -> Iterator[tuple[str, Schema, Schema, str]]:
    """Who writes for whom: a name, the writer, the reader and the encoding."""
    if plan.program == "reads":
        yield "the writer's", plan.past[0], plan.new, plan.encoding
        return
    for encoding in ENCODINGS if plan.program == "repair" else (plan.encoding,):
        for number, old in enumerate(plan.past, start=1):
            yield f"version {number}'s, read by the new one", old, plan.new, encoding
            yield f"the new one's, read by version {number}", plan.new, old, encoding


def trials(plan: Plan) -> Iterator[dict]:
    """For each encoding and direction, the first record that does not come through."""
    told = set()
    for name, writer, reader, encoding in pairs(plan):
        way = (encoding, writer == plan.new)
        if way not in told and (found := example(writer, reader, encoding, plan.seed)):
            told.add(way)
            record, wrong = found
            yield {"who": "a reader", "what": "misread", "fault": True, "whose": name, "encoding": encoding,
                   "sent": shown(writer, record, encoding), "record": worded(record), "wrong": wrong}


def versions(plan: Plan) -> Iterator[str]:
    """The schemas of a plan, one line each."""
    if plan.program == "reads":
        yield f"writer: {line(plan.past[0])}"
        yield f"reader: {line(plan.new)}"
        return
    for number, old in enumerate(plan.past, start=1):
        yield f"version {number}: {line(old)}"
    yield f"new: {line(plan.new)}"


def line(schema: Schema) -> str:
    """A schema in one line, as its file would have it."""
    parts = [declared(each) for each in sorted(schema.fields, key=lambda each: each.number)]
    values = " ".join(f"{value.name} = {value.number}{meant(value)}" for value in schema.values)
    parts += [f"enum {values}"] * any(each.type == "enum" for each in schema.fields)
    parts += ["reserved " + ", ".join(map(str, schema.reserved))] * bool(schema.reserved)
    return "; ".join(parts) or "nothing"


def declared(each: Field) -> str:
    """A field as its file would have it."""
    words = ["required"] * each.required + [f"oneof {each.oneof}:"] * bool(each.oneof)
    return " ".join([*words, each.type, each.name, "=", f"{each.number}{meant(each)}"])


def meant(thing: Field | Value) -> str:
    return f" (means {thing.means})" if thing.means != thing.name else ""


def worded(record: dict) -> str:
    """A record in words."""
    return ", ".join(f"{name} {value!r}" for name, value in record.items()) or "nothing set"


def schema_of(given: dict) -> Schema:
    """A schema from its plain form."""
    return Schema(tuple(Field(**each) for each in given["fields"]), tuple(Value(**each) for each in given["values"]),
                  tuple(given["reserved"]))


def plan_of(run: Run) -> Plan:
    """The plan of a recorded run."""
    return Plan(**run.plan | {"past": tuple(map(schema_of, run.plan["past"])), "new": schema_of(run.plan["new"])})
