"""The rules of an event store, each a generator of sentences about one recorded run that breaks it.

A rule sees only what could be observed: the steps, the answers, and the rows of the store in the end.

    safety    gaps, torn, doubled, altered, misplaced, spoiled, meaning, overdrawn, mistaken
    liveness  left_open, error, stuck, unanswered, refused, cold: a program that does nothing breaks these
"""
import json
from collections import Counter
from collections.abc import Iterator

from exercises.attack import Finding
from exercises.attack.story import first_broken

from .history import Stored, UnknownEvent, current, state_after
from .stage import ARCHIVED, Run
from .story import words

KNOWN = {"opened", "deposited", "withdrawn", "renamed", "interest"}


def calls(run: Run) -> list[dict]:
    """The calls of a run."""
    return [event for event in run.events if event["what"] == "call"]


def struck(run: Run) -> set[str]:
    """The kinds of faults that took place."""
    return {event["what"] for event in run.events if event.get("fault")}


def orders(run: Run, name: str) -> list[tuple[list, dict]]:
    """The answered orders of one kind: arguments and answer."""
    given = ((run.plan["orders"][each["writer"]][each["order"]], each) for each in run.answers)
    return [(order[1:], answer) for order, answer in given if order[0] == name]


def stream_of(run: Run, name: str) -> list[Stored]:
    """A stream as it was written: what the archive took is read from the plan."""
    planned = {(each[0], each[1]): each[5] for each in run.plan["stored"]}
    written = {event[0]: event[2] for order in all_orders(run) if order[0] == "append" for event in order[3]}
    found = []
    for stream, version, event_id, kind, schema, data in run.store:
        if stream == name:
            kept = json.loads(data) if data != ARCHIVED else planned.get((stream, version), written.get(event_id, {}))
            found.append(Stored(stream, version, event_id, kind, schema, kept))
    return found


def all_orders(run: Run) -> list[list]:
    return [order for orders in run.plan["orders"] for order in orders]


def left_open(run: Run) -> Iterator[str]:
    """A call forgot to commit what it wrote."""
    call = None
    for event in run.events:
        if event["what"] == "call":
            call = event
        elif event["what"].startswith("rollback"):
            yield f"{call['call']}({call['about']}) returned with its transaction still open: what it wrote is gone."


def cold(run: Run) -> Iterator[str]:
    """A call needed events that a snapshot covers."""
    if "archive" not in struck(run):
        return
    began = next(number for number, event in enumerate(run.events) if event["what"] == "archive")
    for call in run.events[began:]:
        if call["what"] == "call" and call["outcome"] == "fail" and "locked" not in call["message"]:
            yield (f"{call['call']}({call['about']}) raised {call['error']} ({call['message'][:80]}), after the archive"
                   " took the events that a snapshot covers: nothing may need those.")


def error(run: Run) -> Iterator[str]:
    """A call raised something that no rule of the exercise asks for."""
    for call in calls(run):
        excused = call.get("error") in ("Conflict", "UnknownEvent") and call["call"] in ("append", "evolve")
        busy = "locked" in call.get("message", "") and struck(run) & {"locked", "pause"}
        if call["outcome"] == "fail" and not excused and not busy:
            yield f"{call['call']}({call['about']}) raised {call['error']}: {call['message'][:200]}."


def stuck(run: Run) -> Iterator[str]:
    """A call never comes back."""
    for call in calls(run):
        if call["outcome"] == "endless":
            yield f"{call['call']}({call['about']}) went on and on without returning."


def spoiled(run: Run) -> Iterator[str]:
    """A function changed what it was given."""
    for event in run.events:
        if event["what"] == "spoiled":
            yield f"The call with {event['about']} changed its own arguments: whoever else holds them is surprised."


def altered(run: Run) -> Iterator[str]:
    """History was rewritten."""
    store = {(row[0], row[1]): row[2:] for row in run.store}
    for stream, version, *rest in run.plan["stored"]:
        row = store.get((stream, version))
        if row is None:
            yield f"Event {version} of {stream} was in the store from the beginning, and is gone."
        elif row[:3] != rest[:3] or (row[3] != ARCHIVED and json.loads(row[3]) != rest[3]):
            yield f"Event {version} of {stream} was {rest[1:]} from the beginning, and is {row[1:]} now."


def torn(run: Run) -> Iterator[str]:
    """Of the events of one append, some are there and some are not."""
    there = {row[2] for row in run.store}
    for name, *args in all_orders(run):
        if name == "append":
            ids = [event[0] for event in args[2]]
            new = [each for each in ids if each not in {row[2] for row in run.plan["stored"]}]
            kept = [each for each in new if each in there]
            if kept and len(kept) < len(ids) and not shared(run, kept, args):
                missing = [each for each in ids if each not in kept]
                yield f"One append held {' and '.join(ids)}; {' '.join(kept)} is in the store, {' '.join(missing)} not."


def shared(run: Run, ids: list[str], args: list) -> bool:
    """Whether another append explains these events."""
    others = (order for order in all_orders(run) if order[0] == "append" and order[1:] != args)
    return any(set(ids) <= {event[0] for event in order[3]} for order in others)


def doubled(run: Run) -> Iterator[str]:
    """The same event twice."""
    for (stream, event_id), times in Counter((row[0], row[2]) for row in run.store).items():
        if times > 1:
            yield f"Event {event_id} stands in {stream} {times} times."


def gaps(run: Run) -> Iterator[str]:
    """Versions that are not 0, 1, 2, ..."""
    for stream in sorted({row[0] for row in run.store}):
        versions = [row[1] for row in run.store if row[0] == stream]
        if versions != list(range(len(versions))):
            yield f"The versions of {stream} are {versions}: not one after the other from 0."


def misplaced(run: Run) -> Iterator[str]:
    """An append returned, but its events are not where it promised."""
    for (stream, expected, events), answer in orders(run, "append"):
        if answer["outcome"] == "ok":
            versions = {event.event_id: event for event in stream_of(run, stream)}
            for version, (event_id, kind, data) in enumerate(events, start=expected):
                there = versions.get(event_id)
                if there is None or (there.version, there.type, there.data) != (version, kind, data):
                    found = f"stands at {there.version}: {there.type} {there.data}" if there else "is nowhere"
                    yield (f"append({stream}, {expected}, {' '.join(event[0] for event in events)}) returned, so"
                           f" {event_id} ({kind} {data}) should stand at version {version}, but it {found}.")
                    break


def refused(run: Run) -> Iterator[str]:
    """An append raised Conflict, although nobody else has written there."""
    for (stream, expected, events), answer in orders(run, "append"):
        own = [event[0] for event in events]
        there = [row[2] for row in run.store if row[0] == stream and row[1] >= expected][:len(own)]
        if answer["error"] == "Conflict" and expected <= answer["before"].get(stream, 0) and there in ([], own):
            why = "they stand there already, from an earlier try" if there else "no other event stands there"
            yield f"append({stream}, {expected}, {' '.join(own)}) raised Conflict, but {why}."


def meaning(run: Run) -> Iterator[str]:
    """A state or an event does not say what the history says."""
    yield from folds(run)
    for (kind, schema, data), answer in orders(run, "upcast"):
        if answer["outcome"] == "ok" and answer["returned"] != current(kind, schema, data):
            yield (f"upcast({kind}, {schema}, {data}) gave {answer['returned']}; in today's schema it is"
                   f" {current(kind, schema, data)}.")
    for (stream,), answer in orders(run, "load"):
        if answer["outcome"] == "ok":
            yield from loaded(run, stream, answer)


def folds(run: Run) -> Iterator[str]:
    """What `evolve` made of histories that were given to it event by event."""
    for (events,), answer in orders(run, "fold"):
        strange = [event[1] for event in events if event[1] not in KNOWN]
        if strange and answer["error"] != UnknownEvent.__name__:
            yield f"evolve was given an event {strange[0]!r} and went on; UnknownEvent is the only honest answer."
        right = state_after(Stored("", 0, event[0], event[1], 3, event[2]) for event in events if event[1] in KNOWN)
        if not strange and answer["outcome"] == "ok" and answer["returned"] != right:
            yield f"The events {told(events)} make {answer['returned']}; they should make {right}."


def told(events: list) -> str:
    """The first few events of a history."""
    few = ", ".join(f"{kind} {data}" for _, kind, data in events[:4])
    return few + f" and {len(events) - 4} more" * (len(events) > 4)


def loaded(run: Run, stream: str, answer: dict) -> Iterator[str]:
    """What `load` answered, against the events up to the version it names."""
    try:
        version, state = answer["returned"]
    except (TypeError, ValueError):
        yield f"load({stream}) returned {answer['returned']!r}, not a pair of version and state."
        return
    low, high = answer["before"].get(stream, 0), answer["after"].get(stream, 0)
    if not (type(version) is int and low <= version <= high):
        yield f"load({stream}) said version {version}, when the stream had {low} events."
    elif state != (right := state_after(stream_of(run, stream)[:version])):
        yield f"load({stream}) gave {state} at version {version}; its first {version} events make {right}."


def overdrawn(run: Run) -> Iterator[str]:
    """An account was decided below zero."""
    streams = {args[1] for args, _ in orders(run, "withdraw")}
    for stream in sorted(streams):
        events = stream_of(run, stream)
        for n in range(len(run.plan["stored"]), len(events) + 1):
            if n and (state := state_after(events[:n])) and state["balance"] < 0:
                yield f"{events[n - 1].event_id} took {stream} to {state['balance']} cents."
                return


def mistaken(run: Run) -> Iterator[str]:
    """What `withdraw` said is not what happened."""
    for (command, stream, cents), answer in orders(run, "withdraw"):
        events = stream_of(run, stream)
        done = any(event.event_id == command for event in events)
        least = min(state_after(events[:n])["balance"] for n in range(len(run.plan["stored"]), len(events) + 1))
        if answer["outcome"] == "ok" and answer["returned"] not in (True, False):
            yield f"withdraw({command}) returned {answer['returned']!r}, not True or False."
        elif answer["outcome"] == "ok" and answer["returned"] != done:
            yield (f"withdraw({command}) said {answer['returned']}, but its event is {'' if done else 'not '}in "
                   f"{stream}.")
        elif answer["outcome"] == "ok" and not done and least >= cents:
            yield f"withdraw({command}) refused {cents} cents, though {stream} never had less than {least}."


def unanswered(run: Run) -> Iterator[str]:
    """An order was tried again and again, in vain."""
    missing = len(all_orders(run)) - len(run.answers)
    if missing:
        yield f"{missing} of {len(all_orders(run))} orders were never answered, however often they were tried."


def unfired(run: Run) -> Iterator[str]:
    """The faults of the plan never happened, so the run proves nothing."""
    planned = any(run.plan[kind] for kind in ("crashes", "pauses", "lost", "locked", "stale"))
    if planned and not struck(run):
        yield "The attack found nothing to attack: none of its faults took place."


# Causes before their consequences: the first broken rule is the one worth telling.
RULES = (left_open, cold, error, stuck, spoiled, altered, torn, doubled, gaps, misplaced, refused, meaning,
         overdrawn, mistaken, unanswered, unfired)


def finding(run: Run, rules=RULES) -> Finding | None:
    """The first broken rule of a run, explained; None if all hold."""
    return first_broken(run, [rule for rule in RULES if rule in rules], words)


def unattempted(run: Run) -> bool:
    """Whether a function still is the stub of the exercise."""
    return any(call.get("error") == "NotImplementedError" for call in calls(run))
