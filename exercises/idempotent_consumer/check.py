"""The checks of the exercise: what each one attacks, with which faults, and by which rules it judges.

In a notebook, `check.once(handle)` performs a campaign and shows the verdict. A grader passes seeds nobody has seen and
a file to record into, and judges that record in its own process with `judge`.
"""
import random
from collections.abc import Iterator
from dataclasses import replace

from exercises.attack import Verdict
from exercises.attack.checks import PUBLIC, Check, Exercise, without_one

from . import rules
from .log import Event
from .stage import Plan, Run, perform

ACCOUNTS = (("ada", "bob"), ("cyd", "dan"))  # those of an account have the account's partition, as with any keyed log
LOSSES = ("request lost", "answer lost")
HORIZON = 4


def some_events(rng: random.Random, partition: int, number: int, fees: bool = False) -> list[Event]:
    """Events of a partition's accounts, several of the first one; fees are small and alike, other amounts are not."""
    who = ACCOUNTS[partition]
    accounts = [who[0], who[0], *rng.choices(who, k=number - 2)]
    totals, events = dict.fromkeys(who, 0), []
    for account in accounts:
        totals[account] += 1
        count = totals[account]
        amount = 5 if fees else 10 ** (count - 1)
        events.append(Event(f"{account}-{count}", account, count, amount))
    return events


def with_copies(rng: random.Random, events: list[Event]) -> list[Event]:
    """The log of a producer that sends again what is not confirmed: one copy in the middle, one at the very end."""
    copied = rng.randrange(len(events) - 1)
    return [*events[:copied + 2], events[copied], *events[copied + 2:], rng.choice(events)]


def overtaken(rng: random.Random, events: list[Event]) -> list[Event]:
    """The log of a producer with several requests in flight: the first event needed a second try."""
    return [events[1], events[0], *events[2:]]


def placed(rng: random.Random, events: list[Event], gaps: bool = True) -> tuple[tuple[int, Event], ...]:
    """The events at growing offsets, some of them left out, as compaction and transaction markers do."""
    offset, log = rng.randrange(50), []
    for event in events:
        log.append((offset, event))
        offset += rng.choice((1, 1, 2, 3)) if gaps else 1
    return tuple(log)


def some_log(rng: random.Random, *changes, fees: bool = False, gaps: bool = True) -> tuple:
    """Both partitions of a log, each with some changes made by its producer."""
    partitions = []
    for partition, number in ((0, 4), (1, 3)):
        events = some_events(rng, partition, number, fees)
        for change in changes:
            events = change(rng, events)
        partitions.append(placed(rng, events, gaps))
    return tuple(partitions)


# Each generator yields (plan, whether to kill at every step of it too, or the fault that strikes at every step).

def once_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    plan = Plan(some_log(rng))
    yield plan, True
    for number in range(1, 8):
        yield replace(plan, locked=(number,)), False
    yield replace(plan, rewind=3), False


def copies_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    yield Plan(some_log(rng, with_copies)), False
    yield Plan(some_log(rng, overtaken)), False
    yield Plan(some_log(rng, overtaken, with_copies), rewind=4), True


def handover_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    yield Plan(some_log(rng)), "pauses"
    yield Plan(some_log(rng, overtaken, with_copies)), "pauses"


def offset_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    plain, plan = Plan(some_log(rng, gaps=False), "apply"), Plan(some_log(rng, overtaken, with_copies), "apply")
    yield plain, True
    for number in range(1, 8):
        yield replace(plain, locked=(number,)), False
    yield plan, True
    yield plan, "pauses"


def pay_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    yield Plan(some_log(rng, fees=True), "pay"), True
    plan = Plan(some_log(rng, with_copies, fees=True), "pay")
    yield plan, True
    yield plan, "pauses"
    for loss in LOSSES:
        for number in range(1, 8):
            yield replace(plan, losses=((number, loss),), rewind=2), False


def forget_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    partitions = []
    for partition in (0, 1):
        events = some_events(rng, partition, 14)
        first = rng.randrange(HORIZON)
        for place in (first, rng.randrange(first + HORIZON + 1, 15 - HORIZON)):  # as far apart as copies ever are
            events.insert(place + HORIZON, events[place])
        partitions.append(placed(rng, events, gaps=False))
    plan = Plan(tuple(partitions), horizon=HORIZON)
    yield plan, False
    for step in rng.sample(range(1, 80), 8):
        yield replace(plan, crashes=(step,)), False


def storm_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    for number in range(60):
        program = ("handle", "apply", "pay")[number % 3]
        changes = rng.sample((overtaken, with_copies), rng.choice((0, 1, 2)))
        crashes = rng.sample(range(1, 22), rng.choice((1, 2, 3)))
        losses = [(n, rng.choice(LOSSES)) for n in rng.sample(range(1, 7), rng.choice((0, 1, 2)))]
        yield Plan(
            some_log(rng, *changes, fees=program == "pay"), program, tuple(crashes),
            pauses=tuple(rng.sample(range(1, 22), rng.choice((0, 1)))),
            locked=tuple(rng.sample(range(1, 8), rng.choice((0, 1)))) if program != "pay" else (),
            losses=tuple(losses) if program == "pay" else (),
            rewind=rng.choice((0, 3)) if program != "apply" else 0), False


EFFECT = (rules.error, rules.stuck, rules.garbled, rules.twice, rules.missing, rules.behind)
CHECKS = {
    "once": Check(("handle",), once_plans, EFFECT),
    "copies": Check(("handle",), copies_plans, EFFECT),
    "handover": Check(("handle",), handover_plans, EFFECT),
    "forget": Check(("handle", "forget"), forget_plans, (*EFFECT, rules.hoards)),
    "offset": Check(("start", "apply"), offset_plans, EFFECT),
    "pay": Check(("pay",), pay_plans, EFFECT),
    "storm": Check(("handle", "start", "apply", "pay"), storm_plans, EFFECT),
}


def fewer(plan: Plan) -> Iterator[Plan]:
    """The same plan with one fault less, in every way, or without the last record of a partition."""
    yield from without_one(plan, ("crashes", "pauses", "locked", "losses"))
    if plan.rewind:
        yield replace(plan, rewind=0)
    for partition, log in enumerate(plan.log):
        if log:
            yield replace(plan, log=(*plan.log[:partition], log[:-1], *plan.log[partition + 1:]))


def plan_of(run: Run) -> Plan:
    """The plan of a recorded run."""
    log = tuple(tuple((offset, Event(*event)) for offset, event in partition) for partition in run.plan["log"])
    faults = {kind: tuple(run.plan[kind]) for kind in ("crashes", "pauses", "locked")}
    losses = tuple(map(tuple, run.plan["losses"]))
    return Plan(**{**run.plan, **faults, "log": log, "losses": losses})


EXERCISE = Exercise(CHECKS, rules, perform, Run, plan_of, fewer)
attack, finding, verdict, judge = EXERCISE.attack, EXERCISE.finding, EXERCISE.verdict, EXERCISE.judge
shrunk, attacked = EXERCISE.shrunk, EXERCISE.attacked


def once(handle, *, seeds=PUBLIC, record=None) -> Verdict:
    """Every event takes effect exactly once, wherever the consumer dies and whatever is delivered again."""
    return attacked("once", seeds, record, handle=handle)


def copies(handle, *, seeds=PUBLIC, record=None) -> Verdict:
    """Copies at other offsets and events out of order change nothing."""
    return attacked("copies", seeds, record, handle=handle)


def handover(handle, *, seeds=PUBLIC, record=None) -> Verdict:
    """Two consumers that both believe a record is theirs still give it one effect."""
    return attacked("handover", seeds, record, handle=handle)


def forget(handle, forget, *, seeds=PUBLIC, record=None) -> Verdict:
    """What is kept to recognise copies stays small, and still recognises every copy that can come."""
    return attacked("forget", seeds, record, handle=handle, forget=forget)


def offset(start, apply, *, seeds=PUBLIC, record=None) -> Verdict:
    """The offset in the database never says more or less than the balances beside it."""
    return attacked("offset", seeds, record, start=start, apply=apply)


def pay(pay, *, seeds=PUBLIC, record=None) -> Verdict:
    """Every event is charged exactly once by a gateway that no transaction reaches."""
    return attacked("pay", seeds, record, pay=pay)


def storm(handle, start, apply, pay, *, seeds=PUBLIC, record=None) -> Verdict:
    """All programs under several faults at once."""
    return attacked("storm", seeds, record, handle=handle, start=start, apply=apply, pay=pay)
