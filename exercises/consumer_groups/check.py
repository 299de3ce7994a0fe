"""The checks of the exercise: what each one asks or attacks, with which faults, and by which rules it judges.

In a notebook, `check.retry(consume)` performs a campaign and shows the verdict. A grader passes seeds nobody has seen
and a file to record into, and judges that record in its own process with `judge`.
"""
import math
import random
from collections.abc import Iterator
from dataclasses import replace

from exercises.attack import Verdict
from exercises.attack.checks import PUBLIC, Check, Exercise, without_one

from . import rules
from .groups import FORMING, Deployment, Load
from .stage import Plan, Run, perform

LOSSES = ("letter lost", "confirmation lost")


# How large a group

def made_up_in(load: Load, members: int) -> float:
    """Seconds until the member with most partitions has made up for the outage; infinite if it never does."""
    share = math.ceil(load.partitions / members) / load.partitions
    spare = 1 / load.mean - share * load.rate
    return FORMING + share * load.rate * load.outage / spare if spare > 0 else math.inf


def some_load(rng: random.Random, uneven: bool) -> Load:
    """A load for which one number of members is clearly right; if `uneven`, one that an even split would get wrong."""
    while True:
        rate, partitions = rng.randrange(60, 140), rng.choice((8, 12, 18, 24))
        mean = round(rng.uniform(0.5, 0.8) * rng.randrange(2, 9) / rate, 4)
        slowest = round(rng.uniform(6, 20) * mean, 3)
        outage, within, interval = (float(rng.randrange(*bounds)) for bounds in ((60, 121), (60, 121), (15, 40)))
        load = Load(rate, partitions, mean, slowest, outage, within, interval)
        clear = [members for members in range(2, partitions + 1)
                 if made_up_in(load, members) < 0.8 * load.within and made_up_in(load, members - 1) > 1.4 * load.within]
        even = math.ceil(mean * rate * (1 + load.outage / load.within))
        if clear and (even < clear[0]) == uneven:
            return load


def size_plans(rng) -> Iterator[tuple[Plan, bool]]:
    for uneven in (False, True, False):
        yield Plan("size", some_load(rng, uneven), seed=rng.randrange(1000)), False


# Settings for a restart

def rolling_plans(rng) -> Iterator[tuple[Plan, bool]]:
    quick = Deployment(6, 24, float(rng.randrange(3, 8)), float(rng.randrange(5, 10)), float(rng.randrange(30, 50)))
    slow = Deployment(6, 24, float(rng.randrange(25, 35)), 0.0, float(rng.randrange(70, 90)))
    heavy = Deployment(6, 24, float(rng.randrange(18, 26)), float(rng.randrange(40, 60)), float(rng.randrange(60, 80)))
    hurried = Deployment(6, 24, float(rng.randrange(30, 40)), float(rng.randrange(2, 5)), float(rng.randrange(22, 28)))
    for deployment in rng.sample((quick, slow, heavy, hurried), 4):
        yield Plan("settings", deployment=deployment, seed=rng.randrange(1000)), False


# A log with poison in it

def some_log(rng: random.Random, number: int = 5) -> tuple:
    """Two partitions with growing offsets, some of them left out."""
    log = []
    for letter in "ab":
        offset, records = rng.randrange(20), []
        for count in range(1, number + 1):
            records.append((offset, f"{letter}{count}"))
            offset += rng.choice((1, 1, 2))
        log.append(tuple(records))
    return tuple(log)


def one_of(rng: random.Random, letter: str, end: int = 5) -> str:
    """A record of a partition, in front of its `end`-th."""
    return f"{letter}{rng.randrange(1, end)}"


def retry_plans(rng) -> Iterator[tuple[Plan, bool]]:
    log = some_log(rng)
    yield Plan(log=log, hiccups=((one_of(rng, "a", 4), 1), (one_of(rng, "b", 4), 2))), False
    yield Plan(log=log, poison=(one_of(rng, "a", 4),), hiccups=((one_of(rng, "b", 4), 2),)), False
    yield Plan(log=log, poison=("a2", "a3", "b1")), False
    alike = tuple(tuple((offset, id) for offset, (_, id) in enumerate(records)) for records in log)
    yield Plan(log=alike, hiccups=(("a2", 2), ("b2", 2))), False  # the same offsets in both partitions
    for loss in LOSSES:
        yield Plan(log=log, poison=(one_of(rng, "a", 4),), losses=((1, loss),)), False


def crash_plans(rng) -> Iterator[tuple[Plan, bool]]:
    log = some_log(rng, 4)
    yield Plan(log=log, poison=(one_of(rng, "a", 4),), hiccups=((one_of(rng, "b", 4), 1),)), True


def killer_plans(rng) -> Iterator[tuple[Plan, bool]]:
    log = some_log(rng)
    for letter in "ab":
        yield Plan(log=log, killers=(one_of(rng, letter),)), False
    yield Plan(log=log, killers=(one_of(rng, "a"),), poison=(one_of(rng, "b"),)), False


def storm_plans(rng) -> Iterator[tuple[Plan, bool]]:
    for _ in range(50):
        ids = rng.sample([f"{letter}{count}" for letter in "ab" for count in range(1, 6)], 4)
        losses = [(number, rng.choice(LOSSES)) for number in rng.sample((1, 2), rng.choice((0, 1)))]
        yield Plan(
            log=some_log(rng), crashes=tuple(rng.sample(range(1, 30), rng.choice((0, 1, 2)))),
            hiccups=((ids[0], rng.choice((1, 2))),), poison=tuple(ids[1:rng.choice((2, 3))]),
            killers=tuple(ids[3:rng.choice((3, 4))]), losses=tuple(losses)), False


HANDLED = (rules.error, rules.stuck, rules.hasty, rules.reordered, rules.skipped, rules.stubborn, rules.blocked,
           rules.copied, rules.behind)
CHECKS = {
    "members": Check(("size",), size_plans, (rules.error, rules.no_size, rules.late, rules.spendthrift)),
    "batch": Check(("size",), size_plans, (rules.error, rules.no_size, rules.expelled, rules.timid)),
    "rolling": Check(("settings",), rolling_plans, (rules.error, rules.no_settings, rules.abandoned, rules.needless)),
    "retry": Check(("consume",), retry_plans, HANDLED),
    "crashes": Check(("consume",), crash_plans, HANDLED),
    "killer": Check(("consume",), killer_plans, HANDLED),
    "storm": Check(("consume",), storm_plans, HANDLED),
}


def fewer(plan: Plan) -> Iterator[Plan]:
    """The same plan with one fault less, in every way, or without the last record of a partition."""
    yield from without_one(plan, ("crashes", "hiccups", "poison", "killers", "losses"))
    for partition, log in enumerate(plan.log):
        if log:
            yield replace(plan, log=(*plan.log[:partition], log[:-1], *plan.log[partition + 1:]))


def plan_of(run: Run) -> Plan:
    """The plan of a recorded run."""
    plan = run.plan
    pairs = {kind: tuple(map(tuple, plan[kind])) for kind in ("hiccups", "losses")}
    lists = {kind: tuple(plan[kind]) for kind in ("crashes", "poison", "killers")}
    return Plan(**plan | pairs | lists | {"log": tuple(tuple(map(tuple, log)) for log in plan["log"]),
                                          "load": plan["load"] and Load(**plan["load"]),
                                          "deployment": plan["deployment"] and Deployment(**plan["deployment"])})


EXERCISE = Exercise(CHECKS, rules, perform, Run, plan_of, fewer)
attack, finding, verdict, judge = EXERCISE.attack, EXERCISE.finding, EXERCISE.verdict, EXERCISE.judge
shrunk, attacked = EXERCISE.shrunk, EXERCISE.attacked


def members(size, *, seeds=PUBLIC, record=None) -> Verdict:
    """The group makes up for an outage in time, and has not one member too many."""
    return attacked("members", seeds, record, size=size)


def batch(size, *, seeds=PUBLIC, record=None) -> Verdict:
    """No batch takes longer than the poll interval, even while everything is slow."""
    return attacked("batch", seeds, record, size=size)


def rolling(settings, *, seeds=PUBLIC, record=None) -> Verdict:
    """A rolling restart pauses no longer than it has to, and a dead member is replaced in time."""
    return attacked("rolling", seeds, record, settings=settings)


def retry(consume, *, seeds=PUBLIC, record=None) -> Verdict:
    """What fails is tried again, what always fails becomes a dead letter, and everything else goes on in order."""
    return attacked("retry", seeds, record, consume=consume)


def crashes(consume, *, seeds=PUBLIC, record=None) -> Verdict:
    """The same, wherever the consumer dies."""
    return attacked("crashes", seeds, record, consume=consume)


def killer(consume, *, seeds=PUBLIC, record=None) -> Verdict:
    """A record that takes the process down does not take the partition with it."""
    return attacked("killer", seeds, record, consume=consume)


def storm(consume, *, seeds=PUBLIC, record=None) -> Verdict:
    """All of it at once, at random."""
    return attacked("storm", seeds, record, consume=consume)
