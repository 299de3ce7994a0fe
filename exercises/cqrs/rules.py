"""The rules of a read model, each a generator of sentences about one recorded run that breaks it.

A rule sees only what could be observed: the steps, what readers were told, and what the replicas hold in the end.

    safety    half_built, wrong, older, mismeasured, disturbed
    liveness  error, stuck, behind, unhelpful, unrepaired: a model that never moves breaks these
"""
from collections.abc import Iterator

from exercises.attack import Finding
from exercises.attack.story import first_broken

from .log import Event, lag_at, totals_at
from .stage import ERROR, Run
from .story import words


def calls(run: Run) -> list[dict]:
    """The calls of a run."""
    return [event for event in run.events if event["what"] == "call"]


def log(run: Run) -> list[Event]:
    return [Event(*event) for event in run.plan["log"]]


def answers(run: Run, kind: str) -> list[dict]:
    return [answer for answer in run.answers if answer["kind"] == kind]


def error(run: Run) -> Iterator[str]:
    """A call raised something its caller cannot be expected to handle."""
    busy = any(event["what"] == "pause" for event in run.events)
    for call in calls(run):
        locked = call.get("error") == "OperationalError" and "locked" in call["message"] and busy
        asked = call["call"] == "read" and call.get("error") == "NotYet"
        if call["outcome"] == "fail" and not locked and not asked:
            yield f"{call['call']}({call['about']}) raised {call['error']}: {call['message'][:200]}."


def stuck(run: Run) -> Iterator[str]:
    """A call never comes back."""
    for call in calls(run):
        if call["outcome"] == "endless":
            yield f"{call['call']}({call['about']}) went on and on without returning."


def disturbed(run: Run) -> Iterator[str]:
    """A question changed something."""
    inside = None
    for event in run.events:
        if event["what"] == "call":
            inside = event
        elif "step" in event and not event.get("fault") and inside and inside["call"] in ("read", "lag", "position"):
            if event["who"] == inside["who"]:
                yield f"{inside['call']}({inside['about']}) is a question, and it did this: {event['what']}."
                return


def told(run: Run, answer: dict):
    """What a reader was told, as position and totals, or None if it was told something else."""
    returned = answer["returned"]
    if isinstance(returned, list) and len(returned) == 3 and all(type(each) is int for each in returned):
        return returned[0], returned[1:]
    return None


def right(run: Run, customer: str, position: int) -> list[int]:
    return totals_at(log(run), position).get(customer, [0, 0])


def wrong(run: Run) -> Iterator[str]:
    """A reader was told what the log does not say at that position."""
    for answer in answers(run, "read"):
        if answer["outcome"] != "ok":
            continue
        seen = told(run, answer)
        if seen is None:
            yield f"read({answer['customer']}) returned {answer['returned']!r}, not position, orders and cents."
            continue
        position, totals = seen
        truth = right(run, answer["customer"], position)
        if totals not in (truth, by_the_old_program(run, answer, truth)):
            yield (f"read({answer['customer']}) said {totals} at position {position}; the events up to there make"
                   f" {truth}.")


def by_the_old_program(run: Run, answer: dict, truth: list[int]) -> list[int]:
    """What the model of an older program says: a thousand cents more for everybody it was planted with."""
    planted = totals_at(log(run)[:run.plan["visible"]], log(run)[-1].position)
    wrong_here = run.plan["wrong"] and not answer["replica"] and answer["customer"] in planted
    return [truth[0], truth[1] + ERROR] if wrong_here else truth


def older(run: Run) -> Iterator[str]:
    """A session was shown a past that it had left behind."""
    for answer in answers(run, "read"):
        seen = told(run, answer)
        if answer["outcome"] == "ok" and seen and seen[0] < answer["token"]:
            yield (f"A session that knew position {answer['token']} was answered from position {seen[0]} of replica"
                   f" {answer['replica']}.")


def unhelpful(run: Run) -> Iterator[str]:
    """A reader was turned away although the model had come far enough."""
    for answer in answers(run, "read"):
        if answer["error"] == "NotYet" and answer["stored"] >= answer["token"]:
            yield (f"A session that knew position {answer['token']} was told NotYet by replica {answer['replica']},"
                   f" which was at {answer['stored']}.")


def mismeasured(run: Run) -> Iterator[str]:
    """The lag that was told is not the lag there was."""
    for answer in answers(run, "lag"):
        true = lag_at(log(run)[:answer["visible"]], answer["stored"], answer["now"])
        if answer["outcome"] == "ok" and answer["returned"] != true:
            yield (f"lag said {answer['returned']}; replica {answer['replica']} was at {answer['stored']}, with"
                   f" {true[0]} events waiting, the oldest for {true[1]} s.")


def behind(run: Run) -> Iterator[str]:
    """All is quiet, and a replica has not come to the end of the log, or not to what it says."""
    end = log(run)[-1].position
    for replica, model in enumerate(run.models):
        if model["position"] != end:
            yield f"All is quiet, and replica {replica} is at position {model['position']}; the log ends at {end}."


def drifted(run: Run) -> Iterator[str]:
    """All is quiet, and a replica holds something else than the log says."""
    truth = totals_at(log(run), log(run)[-1].position)
    for replica, model in enumerate(run.models):
        held = {customer: [orders, spent] for customer, orders, spent in model["totals"]}
        for customer in truth:
            excused = run.plan["wrong"] and not replica and not rebuilt(run)
            if held.get(customer, [0, 0]) != truth[customer] and not excused:
                yield (f"All is quiet, and replica {replica} has {held.get(customer)} for {customer}; the log makes"
                       f" {truth[customer]}.")


def rebuilt(run: Run) -> bool:
    return any(call["call"] == "rebuild" for call in calls(run))


def unfired(run: Run) -> Iterator[str]:
    """The faults of the plan never happened, so the run proves nothing."""
    planned = any(run.plan[kind] for kind in ("crashes", "pauses"))
    if planned and not any(event.get("fault") for event in run.events):
        yield "The attack found nothing to attack: none of its faults took place."


# Causes before their consequences: the first broken rule is the one worth telling.
RULES = (error, stuck, disturbed, wrong, older, unhelpful, mismeasured, behind, drifted, unfired)


def finding(run: Run, rules=RULES) -> Finding | None:
    """The first broken rule of a run, explained; None if all hold."""
    return first_broken(run, [rule for rule in RULES if rule in rules], words)


def unattempted(run: Run) -> bool:
    """Whether a function still is the stub of the exercise."""
    return any(call.get("error") == "NotImplementedError" for call in calls(run))
