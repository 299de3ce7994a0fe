"""The rules of the exercise, each a generator of sentences about one recorded run that breaks it.

What is true is tried out here and now, in whatever process judges: records are written by one schema and read by the
other (`truth.py`). What the run says of itself counts for nothing but the answer.

    safety    credulous, breaks, unreserved: nobody is told that all is well when a record is misread
    liveness  error, no_verdict, no_schema, overcautious, loses, hoards: a program that forbids everything breaks these
"""
from collections.abc import Iterator
from dataclasses import replace

from exercises.attack import Finding
from exercises.attack.story import first_broken

from .schema import Schema
from .stage import Plan, Run, plan_of, schema_of, trials, worded
from .story import words
from .truth import ENCODINGS, example, records, shown, verdict

VERDICTS = {"full": {"backward", "forward"}, "backward": {"backward"}, "forward": {"forward"}, "none": set()}
SAID = {"backward": "the new schema reads all that the past has written",
        "forward": "every reader of the past reads what the new schema writes"}


def calls(run: Run) -> list[dict]:
    """The calls of a run."""
    return [event for event in run.events if event["what"] == "call"]


def error(run: Run) -> Iterator[str]:
    """A call raised something."""
    for call in calls(run):
        if call["outcome"] == "fail":
            yield f"{call['call']}({call['about']}) raised {call['error']}: {call['message'][:200]}."


# Verdicts

def no_verdict(run: Run) -> Iterator[str]:
    """The answer is none of those that were asked for."""
    if run.plan["program"] == "reads" and type(run.answer) is not bool:
        yield f"reads returned {run.answer!r}, not True or False."
    if run.plan["program"] == "compatibility" and run.answer not in list(VERDICTS):
        yield f"compatibility returned {run.answer!r}, not one of {', '.join(VERDICTS)}."


def claims(run: Run) -> tuple[set[str], set[str]]:
    """What a verdict says to hold, and what does: of "reads", or of "backward" and "forward"."""
    plan = plan_of(run)
    if plan.program == "reads":
        holds = not example(plan.past[0], plan.new, plan.encoding, plan.seed)
        return {"reads"} if run.answer else set(), {"reads"} if holds else set()
    return VERDICTS[run.answer], VERDICTS[verdict(plan.past, plan.new, plan.encoding, plan.seed)]


def credulous(run: Run) -> Iterator[str]:
    """All is well, it says, and a record is misread."""
    said, holds = claims(run)
    for claim in sorted(said - holds):
        what = SAID.get(claim, "every record comes through")
        yield f"{run.plan['program']} said {run.answer!r}, that is, {what}; one does not."


def overcautious(run: Run) -> Iterator[str]:
    """It objects, and no record is misread."""
    plan, (said, holds) = plan_of(run), claims(run)
    for claim in sorted(holds - said):
        number = len(list(records(plan.new if claim == "forward" else plan.past[0], plan.seed)))
        what = SAID.get(claim, "the reader understands every record")
        yield f"{plan.program} said {run.answer!r}, but {what}: {number} of them, all edges included, came through."


# Repairs

def repaired(run: Run) -> tuple[Plan, Schema]:
    """The plan, and the schema that is the answer."""
    return plan_of(run), schema_of(run.answer)


def no_schema(run: Run) -> Iterator[str]:
    """The answer is not a schema."""
    if not isinstance(run.answer, dict):
        yield f"repair returned {run.answer!r}, not a Schema."


def breaks(run: Run) -> Iterator[str]:
    """A reader, of the past or the repaired one, misreads a record."""
    plan, schema = repaired(run)
    for number, old in enumerate(plan.past, start=1):
        for encoding in ENCODINGS:
            yield from broken(f"version {number}", "the repaired one", old, schema, encoding, plan.seed)
            yield from broken("the repaired one", f"version {number}", schema, old, encoding, plan.seed)


def broken(name: str, other: str, writer: Schema, reader: Schema, encoding: str, seed: int) -> Iterator[str]:
    """The first record of a writer that a reader misreads, in a sentence."""
    if found := example(writer, reader, encoding, seed):
        record, wrong = found
        sent = shown(writer, record, encoding) or "no byte at all"
        yield f"A record of {name} ({worded(record)}), sent as {sent}, goes wrong for {other}: {wrong}."


def loses(run: Run) -> Iterator[str]:
    """What the new schema was made for is not in the repaired one."""
    plan, schema = repaired(run)
    for field in plan.new.fields:
        there = schema.meaning(field.means)
        if not there or there.type != field.type:
            found = f"has it as {there.type}" if there else "has no field for it"
            yield f"The new schema wants {field.means} as {field.type}; the repaired one {found}."


def hoards(run: Run) -> Iterator[str]:
    """Something is kept that nobody needs any more."""
    plan, schema = repaired(run)
    needed = {field.means for old in plan.past for field in old.fields if field.required}
    for field in schema.fields:
        if not plan.new.meaning(field.means) and field.means not in needed:
            yield f"The repaired schema keeps {field.name}, which the new one drops and no reader of the past requires."


def unreserved(run: Run) -> Iterator[str]:
    """A number or a name of the past is free to be used again."""
    plan, schema = repaired(run)
    used = {each for field in schema.fields for each in (field.number, field.name)}
    for number, old in enumerate(plan.past, start=1):
        for each in [x for field in old.fields for x in (field.number, field.name)] + list(old.reserved):
            if each not in used and each not in schema.reserved:
                yield f"{each!r}, taken in version {number}, is neither used nor reserved: somebody will use it again."


def unfired(run: Run) -> Iterator[str]:
    """Records go wrong under this plan, and the run does not show it."""
    if any(trials(plan_of(run))) and not any(event.get("fault") for event in run.events):
        yield "The trials of this run are missing: a record is misread, and nothing shows it."


RULES = (error, no_verdict, no_schema, credulous, overcautious, breaks, loses, hoards, unreserved, unfired)


def finding(run: Run, rules=RULES) -> Finding | None:
    """The first broken rule of a run, with the change that was asked about; None if all hold."""
    found = first_broken(run, [rule for rule in RULES if rule in rules], words)
    return found and replace(found, how=how(run))


def how(run: Run) -> str:
    """The change, and the first record that goes wrong under it."""
    misread = next((words(event) for event in run.events if event.get("fault")), "")
    return f"The change: {run.plan['change']} {misread}".strip()


def unattempted(run: Run) -> bool:
    """Whether a function still is the stub of the exercise."""
    return any(call.get("error") == "NotImplementedError" for call in calls(run))
