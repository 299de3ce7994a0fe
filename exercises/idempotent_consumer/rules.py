"""The rules of an idempotent consumer, each a generator of sentences about one recorded run that breaks it.

A rule sees only what could be observed: the steps, the balances, the gateway's charges, and where the group reads on.
The amounts that go into balances are powers of ten, so that each digit of a balance counts the effects of one event.

    safety    garbled, twice, missing
    liveness  error, stuck, behind, hoards: a program that does nothing breaks these
"""
from collections import Counter
from collections.abc import Iterator

from exercises.attack import Finding
from exercises.attack.story import first_broken

from .stage import Run
from .story import words


def calls(run: Run, name: str = "") -> list[dict]:
    """The calls of a run, or of one function."""
    return [event for event in run.events if event["what"] == "call" and event["call"].startswith(name)]


def places(run: Run) -> dict[str, list[tuple[int, int]]]:
    """Where each event stands in the log, copies included: partition and offset."""
    found: dict[str, list[tuple[int, int]]] = {}
    for partition, log in enumerate(run.plan["log"]):
        for offset, (event, *_) in log:
            found.setdefault(event, []).append((partition, offset))
    return found


def contents(run: Run) -> dict[str, tuple[str, int]]:
    """The account and amount of each event."""
    return {event: (account, amount) for log in run.plan["log"] for _, (event, account, _, amount) in log}


def named(run: Run, event: str) -> str:
    """The event with its account, its amount and its place in the log."""
    (partition, _), *copies = places(run)[event]
    account, amount = contents(run)[event]
    offsets = " and ".join(str(offset) for _, offset in places(run)[event])
    return (f"event {event} ({account}, {amount}; partition {partition}, offset{'s' * bool(copies)} {offsets})")


def effects(run: Run) -> dict[str, int]:
    """How often each event took effect: charges at the gateway, or its digit in the balance."""
    if run.plan["program"] == "pay":
        charged = Counter(event for event, *_ in run.charges)
        return {event: charged[event] for event in contents(run)}
    return {event: run.balances.get(account, 0) // amount % 10 for event, (account, amount) in contents(run).items()}


def expected(run: Run, call: dict) -> bool:
    """Whether the caller is ready for what a call raised: the consumer starts again at the stored offset then."""
    struck = {event["what"] for event in run.events if event.get("fault")}
    locked = call["error"] == "OperationalError" and "locked" in call["message"] and struck & {"locked", "pause"}
    return bool(locked) or (call["error"] == "CommitFailed" and "pause" in struck) or call["error"] == "NoAnswer"


def error(run: Run) -> Iterator[str]:
    """A call raised something its caller cannot be expected to handle."""
    for call in calls(run):
        if call["outcome"] == "fail" and not expected(run, call):
            yield f"{call['call']}({call['about']}) raised {call['error']}: {call['message'][:200]}."


def stuck(run: Run) -> Iterator[str]:
    """A call never comes back."""
    for call in calls(run):
        if call["outcome"] == "endless":
            yield f"{call['call']}({call['about']}) went on and on without returning."


def garbled(run: Run) -> Iterator[str]:
    """The gateway charged something else than the event says."""
    for event, account, amount in run.charges:
        if (account, amount) != contents(run)[event]:
            yield f"The gateway charged {account} {amount} for {named(run, event)}."


def twice(run: Run) -> Iterator[str]:
    """An event took effect more than once."""
    for event, times in effects(run).items():
        if times > 1:
            yield f"{named(run, event).capitalize()} took effect {times} times."


def missing(run: Run) -> Iterator[str]:
    """An event left no effect, and nobody will read it again."""
    for event, times in effects(run).items():
        if not times and all(run.next[partition] > offset for partition, offset in places(run)[event]):
            yield f"{named(run, event).capitalize()} never took effect: {passed(run, event)}."


def passed(run: Run, event: str) -> str:
    """How the group came to read on behind an event that had no effect."""
    partition, offset = places(run)[event][-1]
    commits = (step for step in run.events if step.get("partition") == partition and "error" not in step)
    first = next((step for step in commits if step["next"] > offset), None)
    if first is None:
        return "the stored offset is past it"
    if asked(run, event):
        return "the gateway was asked, but knew the key already"
    if first["event"] == event:
        return "its own call committed the offset all the same"
    return f"the commit for {first['event']} at offset {first['next'] - 1} passed over it"


def asked(run: Run, event: str) -> bool:
    """Whether a request to charge for the event has reached the gateway."""
    requests = sum(step["what"] == f"charge {event}" for step in run.events)
    return requests > sum(step["what"] == "request lost" and step["event"][0] == event for step in run.events)


def behind(run: Run) -> Iterator[str]:
    """All is quiet, and a restarted consumer would read records again that were handled long ago."""
    for partition, log in enumerate(run.plan["log"]):
        if log and run.next[partition] <= log[-1][0]:
            yield (f"Everything in partition {partition} was delivered up to offset {log[-1][0]}, but a restarted"
                   f" consumer would begin at offset {run.next[partition]} again.")


def hoards(run: Run) -> Iterator[str]:
    """Rows are kept although no copy of their event can come any more."""
    allowed = 2 * run.plan["horizon"] * len(run.plan["log"])
    if allowed and run.kept > allowed:
        yield (f"{run.kept} rows are kept to recognise events by; no copy comes later than {run.plan['horizon']}"
               f" offsets after its first, so {allowed} are plenty.")


def unfired(run: Run) -> Iterator[str]:
    """The faults of the plan never happened, so the run proves nothing."""
    planned = any(run.plan[kind] for kind in ("crashes", "pauses", "locked", "losses", "rewind"))
    if planned and not any(event.get("fault") for event in run.events):
        yield "The attack found nothing to attack: none of its faults took place."


# Causes before their consequences: the first broken rule is the one worth telling.
RULES = (error, stuck, garbled, twice, missing, behind, hoards, unfired)


def finding(run: Run, rules=RULES) -> Finding | None:
    """The first broken rule of a run, explained; None if all hold."""
    return first_broken(run, [rule for rule in RULES if rule in rules], words)


def unattempted(run: Run) -> bool:
    """Whether a function still is the stub of the exercise."""
    return any(call.get("error") == "NotImplementedError" for call in calls(run))
