"""The checks of the exercise: what each one attacks, with which faults, and by which rules it judges.

In a notebook, `check.atomic(place_order)` performs a campaign and shows the verdict. A grader passes seeds nobody has
seen and a file to record into, and judges that record in its own process with `judge`.
"""
import random
from collections.abc import Iterator
from dataclasses import replace

from exercises.attack import Verdict
from exercises.attack.checks import PUBLIC, Check, Exercise, without_one

from . import rules
from .stage import Order, Plan, Run, perform

LOSSES = ("event lost", "confirmation lost")


def some_orders(rng: random.Random, number: int, bad: bool = False) -> tuple[Order, ...]:
    """Orders of a few customers with amounts that no sum confuses; one of them refused by the database if `bad`."""
    amounts = rng.sample([10 * 2 ** n for n in range(number)], number)
    others = rng.choices(("ada", "bob", "cyd"), k=number - 3)
    customers = rng.sample(["ada", "ada", "bob", *others], number)  # one has several, and is not alone
    orders = [Order(f"o{n}", who, amount) for n, (who, amount) in enumerate(zip(customers, amounts), start=1)]
    if bad:
        spoilt = rng.randrange(1, number)
        orders[spoilt] = orders[spoilt]._replace(amount=-orders[spoilt].amount)
    return tuple(orders)


# Each generator yields (plan, whether to kill at every step of it too).

def atomic_plans(rng) -> Iterator[tuple[Plan, bool]]:
    yield Plan(some_orders(rng, 4, bad=True)), True


def relay_plans(rng) -> Iterator[tuple[Plan, bool]]:
    plan = Plan(some_orders(rng, 4))
    yield plan, True
    for loss in LOSSES:
        for number in range(1, 5):
            yield replace(plan, publishes=((number, loss),)), False


def order_plans(rng) -> Iterator[tuple[Plan, bool]]:
    plan = Plan(some_orders(rng, 5))
    yield plan, False
    for loss in LOSSES:
        for number in range(1, 6):
            yield replace(plan, publishes=((number, loss),)), number == 2


def poison_plans(rng) -> Iterator[tuple[Plan, bool]]:
    plan = Plan(some_orders(rng, 5))
    for order in plan.orders:
        yield replace(plan, refused=(order.id,)), False


def once_plans(rng) -> Iterator[tuple[Plan, bool]]:
    plan = Plan(some_orders(rng, 4))
    yield plan, True
    for number in range(1, 5):
        yield replace(plan, lost_acks=(number,)), number == 2


def pipeline_plans(rng) -> Iterator[tuple[Plan, bool]]:
    for _ in range(60):
        number = rng.choice((4, 5, 6))
        crashes = rng.sample(range(1, 6 * number), rng.choice((1, 2, 3)))
        losses = [(n, rng.choice(LOSSES)) for n in rng.sample(range(1, number), rng.choice((0, 1, 2)))]
        acks = rng.sample(range(1, number), rng.choice((0, 1)))
        orders = some_orders(rng, number, bad=rng.random() < .3)
        yield Plan(orders, tuple(crashes), tuple(losses), lost_acks=tuple(acks)), False


SHOP = (rules.error, rules.unsaved, rules.garbled, rules.phantom, rules.torn, rules.lost)
RELAY = (rules.error, rules.garbled, rules.renamed, rules.phantom, rules.lost, rules.stuck)
CARE = (rules.error, rules.stuck, rules.twice, rules.missing, rules.unacked)
CHECKS = {
    "atomic": Check(("place_order",), atomic_plans, SHOP),
    "relay": Check(("relay_once",), relay_plans, (*RELAY, rules.duplicate)),
    "order": Check(("relay_once",), order_plans, (*RELAY, rules.inverted)),
    "poison": Check(("relay_once",), poison_plans, RELAY),
    "once": Check(("handle",), once_plans, CARE),
    "pipeline": Check(("place_order", "relay_once", "handle"), pipeline_plans, rules.RULES),
}


def fewer(plan: Plan) -> Iterator[Plan]:
    """The same plan with one fault less, in every way, or without its last order."""
    yield from without_one(plan, ("crashes", "publishes", "refused", "lost_acks"))
    if len(plan.orders) > 2:
        yield replace(plan, orders=plan.orders[:-1])


def plan_of(run: Run) -> Plan:
    """The plan of a recorded run."""
    kinds = {"orders": lambda order: Order(*order), "publishes": tuple}
    return Plan(**{name: tuple(map(kinds.get(name, lambda item: item), items)) for name, items in run.plan.items()})


EXERCISE = Exercise(CHECKS, rules, perform, Run, plan_of, fewer)
attack, finding, verdict, judge = EXERCISE.attack, EXERCISE.finding, EXERCISE.verdict, EXERCISE.judge
shrunk, attacked = EXERCISE.shrunk, EXERCISE.attacked


def atomic(place_order, *, seeds=PUBLIC, record=None) -> Verdict:
    """The order and its announcement stand or fall together, wherever the shop dies."""
    return attacked("atomic", seeds, record, place_order=place_order)


def relay(relay_once, *, seeds=PUBLIC, record=None) -> Verdict:
    """Every waiting event reaches the broker, wherever the relay dies and whatever the broker loses."""
    return attacked("relay", seeds, record, relay_once=relay_once)


def order(relay_once, *, seeds=PUBLIC, record=None) -> Verdict:
    """A customer's events reach the broker in the order of their orders, even if one needs a second try."""
    return attacked("order", seeds, record, relay_once=relay_once)


def poison(relay_once, *, seeds=PUBLIC, record=None) -> Verdict:
    """An event that the broker never takes holds up nobody but its own customer."""
    return attacked("poison", seeds, record, relay_once=relay_once)


def once(handle, *, seeds=PUBLIC, record=None) -> Verdict:
    """Every event takes effect exactly once, however often it is delivered."""
    return attacked("once", seeds, record, handle=handle)


def pipeline(place_order, relay_once, handle, *, seeds=PUBLIC, record=None) -> Verdict:
    """All three together, under several faults at once."""
    return attacked("pipeline", seeds, record, place_order=place_order, relay_once=relay_once, handle=handle)
