"""The checks of the exercise: what each one attacks, with which faults, and by which rules it judges.

In a notebook, `check.steps(start, resume)` performs a campaign and shows the verdict. A grader passes seeds nobody has
seen and a file to record into, and judges that record in its own process with `judge`.
"""
import random
from collections.abc import Iterator
from dataclasses import replace

from exercises.attack import Verdict
from exercises.attack.checks import PUBLIC, Check, Exercise, without_one

from . import rules
from .services import FORWARD, UNDO, Order
from .stage import Plan, Run, perform

LOSSES = ("request lost", "answer lost", "late")
REFUSING = ("reserve", "charge", "ship")  # the mailer never rejects


def some_orders(rng: random.Random, number: int = 2) -> tuple[Order, ...]:
    """Orders of different customers."""
    names = rng.sample(("ada", "bob", "cyd", "dan"), number)
    return tuple(Order(f"o{n}", who, rng.randrange(1, 10) * 10) for n, who in enumerate(names, start=1))


# Each generator yields (plan, whether to kill at every step of it too, or the fault that strikes at every step).

def steps_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    orders = some_orders(rng)
    yield Plan(orders), False
    for name in REFUSING:
        yield Plan(orders, rejects=((orders[0].id, name),)), False


def crash_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    one = Plan(some_orders(rng, 1))
    yield one, True
    for name in REFUSING:
        yield replace(one, rejects=((one.orders[0].id, name),)), True
    yield replace(one, faults=(("charge", 1, "answer lost"),)), True
    for _ in range(6):
        yield replace(one, rejects=((one.orders[0].id, "ship"),), crashes=tuple(rng.sample(range(1, 16), 3))), False


def answers_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    orders = some_orders(rng, 1)
    no = ((orders[0].id, "ship"),)
    for rejects, names in (((), FORWARD), (no, ("charge", "ship", *UNDO))):
        for name in names:
            for kind in (*LOSSES, "busy"):
                yield Plan(orders, faults=((name, 1, kind),), rejects=rejects), False
    hard = tuple((name, number, "busy") for name in ("mail", "ship") for number in range(1, 5))
    yield Plan(orders, faults=hard), False
    yield Plan(orders, faults=tuple(("ship", number, "answer lost") for number in range(1, 6))), False


def silence_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    orders = some_orders(rng)
    for name in ("reserve", "charge"):
        for kind in LOSSES:
            yield Plan(orders, silent=((orders[0].id, name, kind),)), False
    yield Plan(orders[:1], silent=((orders[0].id, "charge", "answer lost"),)), True


def rivals_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    orders = some_orders(rng)
    yield Plan(orders), "pauses"
    yield Plan(orders, rejects=((orders[0].id, "ship"),)), "pauses"
    yield Plan(orders[:1], silent=((orders[0].id, "charge", rng.choice(LOSSES)),)), "pauses"
    patience = tuple(("charge", number, "request lost") for number in (1, 2, 3))  # one gives up, the other one gets on
    yield Plan(orders[:1], faults=(*patience, ("ship", 1, "answer lost"))), "pauses"


def credit_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    amount = rng.randrange(40, 100)
    orders = tuple(Order(f"o{n}", "ada", amount) for n in (1, 2))
    both = Plan(orders, credit=2 * amount)
    slow = tuple(("ship", number, "busy") for number in (1, 2))  # so that one saga runs while the other begins or ends
    yield Plan(orders, credit=2 * amount - 1, faults=slow), "pauses"
    yield both, True
    yield replace(both, faults=(("ship", 2, "busy"), ("ship", 3, "busy"))), "pauses"
    yield replace(both, rejects=(("o1", "charge"),)), "pauses"
    yield replace(both, rejects=(("o1", "charge"), ("o2", "ship"))), True


def storm_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    for _ in range(40):
        orders = some_orders(rng, rng.choice((2, 3)))
        faults = [(rng.choice((*FORWARD, *UNDO)), rng.randrange(1, 4), rng.choice((*LOSSES, "busy"))) for _ in range(3)]
        rejects = [(order.id, rng.choice(REFUSING)) for order in orders if rng.random() < .4]
        yield Plan(orders, crashes=(rng.randrange(1, 6), *rng.sample(range(6, 40), rng.choice((0, 1, 2)))),
                   pauses=tuple(rng.sample(range(1, 30), rng.choice((0, 1)))), faults=tuple(faults),
                   rejects=tuple(rejects)), False


CHECKS = {name: Check(("start", "resume"), plans, rules.RULES) for name, plans in {
    "steps": steps_plans, "crash": crash_plans, "answers": answers_plans, "silence": silence_plans,
    "rivals": rivals_plans, "credit": credit_plans, "storm": storm_plans}.items()}


def fewer(plan: Plan) -> Iterator[Plan]:
    """The same plan with one fault less, in every way, or without its last order."""
    yield from without_one(plan, ("crashes", "pauses", "faults", "rejects", "silent"))
    if len(plan.orders) > 1:
        yield replace(plan, orders=plan.orders[:-1])


def plan_of(run: Run) -> Plan:
    """The plan of a recorded run."""
    faults = {kind: tuple(map(tuple, run.plan[kind])) for kind in ("faults", "rejects", "silent")}
    steps = {kind: tuple(run.plan[kind]) for kind in ("crashes", "pauses")}
    return Plan(**{**run.plan, **faults, **steps, "orders": tuple(Order(*order) for order in run.plan["orders"])})


EXERCISE = Exercise(CHECKS, rules, perform, Run, plan_of, fewer)
attack, finding, verdict, judge = EXERCISE.attack, EXERCISE.finding, EXERCISE.verdict, EXERCISE.judge
shrunk, attacked = EXERCISE.shrunk, EXERCISE.attacked


def steps(start, resume, *, seeds=PUBLIC, record=None) -> Verdict:
    """Every order is done as a whole, or leaves nothing behind."""
    return attacked("steps", seeds, record, start=start, resume=resume)


def crash(start, resume, *, seeds=PUBLIC, record=None) -> Verdict:
    """A worker may die before every step, forward and backward."""
    return attacked("crash", seeds, record, start=start, resume=resume)


def answers(start, resume, *, seeds=PUBLIC, record=None) -> Verdict:
    """Requests and answers are lost, late, or met by a busy service."""
    return attacked("answers", seeds, record, start=start, resume=resume)


def silence(start, resume, *, seeds=PUBLIC, record=None) -> Verdict:
    """A service never answers: the order is given up, and whatever it may have done is undone."""
    return attacked("silence", seeds, record, start=start, resume=resume)


def rivals(start, resume, *, seeds=PUBLIC, record=None) -> Verdict:
    """Two workers carry the same saga on, one of them from the past."""
    return attacked("rivals", seeds, record, start=start, resume=resume)


def credit(start, resume, *, seeds=PUBLIC, record=None) -> Verdict:
    """Two sagas of one customer, who can afford one of them, or both exactly."""
    return attacked("credit", seeds, record, start=start, resume=resume)


def storm(start, resume, *, seeds=PUBLIC, record=None) -> Verdict:
    """Several orders under several faults at once."""
    return attacked("storm", seeds, record, start=start, resume=resume)
