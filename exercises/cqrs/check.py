"""The checks of the exercise: what each one attacks, with which faults, and by which rules it judges.

In a notebook, `check.once(project, position)` performs a campaign and shows the verdict. A grader passes seeds nobody
has seen and a file to record into, and judges that record in its own process with `judge`.
"""
import random
from collections.abc import Iterator
from dataclasses import replace

from exercises.attack import Verdict
from exercises.attack.checks import PUBLIC, Check, Exercise, without_one

from . import rules
from .log import Event
from .stage import Plan, Run, perform

CUSTOMERS = ("ada", "bob", "cyd")
TYPES = ("placed", "placed", "placed", "cancelled", "renamed")  # the last one means nothing to this model


def some_log(rng: random.Random, number: int) -> tuple[Event, ...]:
    """Events at growing positions with gaps, of types that count and one that does not; who cancels has ordered."""
    events, position, at, open_orders = [], 0, 0, []
    for _ in range(number):
        position, at = position + rng.choice((1, 1, 1, 2)), at + rng.randrange(1, 30)
        kind = rng.choice(TYPES)
        if kind == "cancelled" and open_orders:
            customer, amount = open_orders.pop(rng.randrange(len(open_orders)))
        else:
            kind = "renamed" if kind == "renamed" else "placed"
            customer, amount = rng.choice(CUSTOMERS), rng.randrange(10, 90)
            open_orders += [(customer, amount)] * (kind == "placed")
        events.append(Event(position, at, kind, customer, amount))
    return tuple(events)


# Each generator yields (plan, whether to kill at every step of it too, or the fault that strikes at every step).

def once_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    log = some_log(rng, 6)
    log = (*log, Event(log[-1].position + 1, log[-1].at + 1, "renamed", "ada", 0))
    plan = Plan(log, (("project", 0, 4),), visible=7)
    yield plan, True
    yield replace(plan, acts=(("project", 0, 4), ("again", 0, 3), ("project", 0, 2), ("again", 0, 2))), False
    yield replace(plan, acts=(("project", 0, 3), ("again", 0, 3))), True
    yield replace(plan, meanwhile=(("project", 0, 2),)), "pauses"


def reads_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    log = some_log(rng, 9)
    for _ in range(6):
        acts = [("project", replica, rng.randrange(4)) for replica in (0, 1)]
        for _ in range(8):
            acts.append(rng.choice((("read", 0, "ada"), ("read", 1, "ada"), ("read", 1, "bob"), ("write", "ada"),
                                    ("project", 0, 1), ("project", 1, 2))))
        yield Plan(log, tuple(acts), visible=rng.randrange(4)), False
    calm = Plan(log, (("read", 0, "zoe"), ("project", 0, 9), ("read", 0, "ada"), ("read", 1, "ada")), visible=9)
    yield calm, False


def rebuild_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    log = some_log(rng, 8)
    seen = log[4].position
    old = Plan(log, (("append", 2), ("project", 0, 1), ("rebuild", 0), ("read", 0, "ada"), ("project", 0, 3)),
               visible=5, wrong=True)
    yield old, False
    yield old, True
    reading = tuple(("read", 0, customer) for customer in CUSTOMERS)
    yield replace(old, meanwhile=reading), "pauses"
    yield replace(old, meanwhile=(("append", 1), ("project", 0, 3), *reading)), "pauses"
    yield replace(old, crashes=(rng.randrange(2, 8),), meanwhile=(("project", 0, 1), *reading),
                  pauses=(seen % 7 + 9,)), False


def lag_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    log = some_log(rng, 16)
    for done in (0, 1, rng.randrange(2, 12), 15, 16):
        yield Plan(log, (("project", 0, done), ("lag", 0), ("lag", 1), ("append", 1), ("lag", 0)), visible=15), False
    late = rng.randrange(400, 900)  # seconds by which a clock is behind: more than the whole log takes
    yield Plan(log, (("project", 0, 15), ("lag", 0, -late), ("lag", 1, -5)), visible=16), False


def storm_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    for _ in range(30):
        log = some_log(rng, 10)
        choices = [("append", 1), ("write", "ada"), ("lag", 0), ("lag", 1), ("lag", 0, -500), ("again", 0, 2),
                   ("again", 1, 3)]
        choices += [("read", replica, customer) for replica in (0, 1) for customer in CUSTOMERS]
        choices += [("project", replica, number) for replica in (0, 1) for number in (1, 2)]
        acts = [("project", 0, 1), *rng.choices(choices, k=9), ("rebuild", 0), *rng.choices(choices, k=4)]
        yield Plan(log, tuple(acts), crashes=(rng.randrange(1, 4), *rng.sample(range(4, 24), rng.choice((0, 1)))),
                   pauses=tuple(rng.sample(range(4, 30), rng.choice((0, 1)))),
                   meanwhile=(("project", 0, 1), ("read", 0, "ada")), visible=4, wrong=True), False


CHECKS = {
    "once": Check(("project", "position", "read"), once_plans, rules.RULES),
    "reads": Check(("project", "position", "read"), reads_plans, rules.RULES),
    "rebuild": Check(("project", "position", "read", "rebuild"), rebuild_plans, rules.RULES),
    "lag": Check(("project", "position", "read", "lag"), lag_plans, rules.RULES),
    "storm": Check(("project", "position", "read", "rebuild", "lag"), storm_plans, rules.RULES),
}


def fewer(plan: Plan) -> Iterator[Plan]:
    """The same plan with one fault or one act less, in every way."""
    yield from without_one(plan, ("crashes", "pauses", "acts", "meanwhile"))


def plan_of(run: Run) -> Plan:
    """The plan of a recorded run."""
    steps = {kind: tuple(run.plan[kind]) for kind in ("crashes", "pauses")}
    acts = {kind: tuple(map(tuple, run.plan[kind])) for kind in ("acts", "meanwhile")}
    return Plan(**{**run.plan, **steps, **acts, "log": tuple(Event(*event) for event in run.plan["log"])})


EXERCISE = Exercise(CHECKS, rules, perform, Run, plan_of, fewer)
attack, finding, verdict, judge = EXERCISE.attack, EXERCISE.finding, EXERCISE.verdict, EXERCISE.judge
shrunk, attacked = EXERCISE.shrunk, EXERCISE.attacked


def once(project, position, read, *, seeds=PUBLIC, record=None) -> Verdict:
    """Every event counts once, wherever the projector dies and whatever is delivered again."""
    return attacked("once", seeds, record, project=project, position=position, read=read)


def reads(project, position, read, *, seeds=PUBLIC, record=None) -> Verdict:
    """A session never sees less than it has seen or written, and is not turned away without need."""
    return attacked("reads", seeds, record, project=project, position=position, read=read)


def rebuild(project, position, read, rebuild, *, seeds=PUBLIC, record=None) -> Verdict:
    """The model is made anew while it is read and written, and nobody sees the half of it."""
    return attacked("rebuild", seeds, record, project=project, position=position, read=read, rebuild=rebuild)


def lag(project, position, read, lag, *, seeds=PUBLIC, record=None) -> Verdict:
    """The lag is nothing when nothing waits, and grows while something does."""
    return attacked("lag", seeds, record, project=project, position=position, read=read, lag=lag)


def storm(project, position, read, rebuild, lag, *, seeds=PUBLIC, record=None) -> Verdict:
    """All functions under several faults at once."""
    return attacked("storm", seeds, record, project=project, position=position, read=read, rebuild=rebuild, lag=lag)
