"""The checks of the exercise: what each one attacks, with which faults, and by which rules it judges.

In a notebook, `check.flow(stock, payment, orders)` performs a campaign and shows the verdict. A grader passes seeds
nobody has seen and a file to record into, and judges that record in its own process with `judge`.
"""
import random
from collections.abc import Iterator
from dataclasses import replace

from exercises.attack import Verdict
from exercises.attack.checks import PUBLIC, Check, Exercise, without_one

from . import rules
from .services import DEADLINE, SUBSCRIBERS, Order
from .stage import Plan, Run, perform

# What happens to an order, by who rejects it: every type of event that goes over the bus.
DONE = ("OrderPlaced", "StockReserved", "PaymentTaken", "Shipped")
COURSE = {"nobody": DONE, "stock": ("OrderPlaced", "StockRejected"), "payment": (*DONE[:2], "PaymentRejected"),
          "shipping": (*DONE[:3], "ShippingRejected")}
SHORT, LONG = 2, 6  # seconds: a delay that no order should fail of, and one that outlasts a whole saga


def some_orders(rng: random.Random, number: int = 2) -> tuple[Order, ...]:
    """Orders of different customers for different things, one a second."""
    names, things = rng.sample(("ada", "bob", "cyd", "dan"), number), rng.sample(("tea", "jam", "rye", "oil"), number)
    return tuple(Order(f"o{n + 1}", names[n], things[n], rng.randrange(1, 10) * 10, n) for n in range(number))


def courses(orders: tuple[Order, ...]) -> Iterator[tuple[Plan, list[tuple[str, str, str]]]]:
    """The first order done, and rejected by each service; with every message there is about it."""
    for who, types in COURSE.items():
        rejects = () if who == "nobody" else ((orders[0].order_id, who),)
        yield Plan(orders, rejects=rejects), [(type, orders[0].order_id, service)
                                              for type in types for service in SUBSCRIBERS[type]]


# Each generator yields (plan, whether to kill at every step of it too, or the fault that strikes at every step).

def flow_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    orders = some_orders(rng)
    for plan, _ in courses(orders):
        yield plan, False
    yield Plan((orders[0], orders[1]._replace(sku=orders[0].sku)), pieces=1), False
    yield Plan((orders[0], orders[1]._replace(customer=orders[0].customer)), purse=orders[1].amount), False


def crash_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    for plan, _ in courses(some_orders(rng, 1)):
        yield plan, True
    for _ in range(4):
        yield replace(plan, crashes=tuple(rng.sample(range(1, 20), 3))), False


def duplicates_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    for plan, messages in courses(some_orders(rng)):
        for message in messages:
            for seconds in (0, LONG):
                yield replace(plan, faults=((*message, "again", seconds),)), False
        yield replace(plan, faults=tuple((*message, "again", rng.choice((0, 1, LONG))) for message in messages)), False
    yield replace(plan, orders=plan.orders[:1], faults=tuple((*message, "again", 0) for message in messages)), True


def stuck_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    orders = some_orders(rng)
    lost = [("nobody", type, SUBSCRIBERS[type][0]) for type in DONE]
    lost += [(who, COURSE[who][-1], "orders") for who in ("stock", "payment", "shipping")]
    for who, type, service in lost:
        rejects = () if who == "nobody" else ((orders[0].order_id, who),)
        plan = Plan(orders, rejects=rejects, faults=((type, orders[0].order_id, service, "lost", 0),))
        yield plan, False
        yield replace(plan, orders=orders[:1]), who == "shipping" or type == "PaymentTaken"


def reordered_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    for plan, messages in courses(some_orders(rng)):
        for message in messages:
            for seconds in (SHORT, DEADLINE, DEADLINE + 2, 2 * DEADLINE):
                yield replace(plan, faults=((*message, "late", seconds),)), False


def meeting(order: Order) -> list[Plan]:
    """A reservation and a payment asked for in the same second as their undoing."""
    return [Plan((order,), faults=((type, order.order_id, service, "late", DEADLINE + wait),))
            for type, service, wait in (("OrderPlaced", "stock", 2), ("StockReserved", "payment", 1))]


def rivals_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    orders = some_orders(rng)
    first, second = orders[0], orders[1]._replace(placed_at=0)
    yield Plan((first,), rejects=((first.order_id, "shipping"),)), "pauses"
    yield Plan((first, second._replace(sku=first.sku, customer=first.customer))), "pauses"
    for plan in meeting(first):
        yield plan, "pauses"


# What storms may do to any message, and what only to one of an order: to that which should cancel it nothing is lost.
MILD = (("late", SHORT), ("again", 0), ("again", LONG))
GRAVE = (("lost", 0), ("late", DEADLINE), ("late", DEADLINE + 2))


def some_faults(rng: random.Random, messages: list[tuple[str, str, str]]) -> Iterator[tuple]:
    """Faults for three of these messages, a grave one for at most one message of an order, and for no undoing."""
    struck = set()
    for type, order, service in rng.sample(messages, 3):
        undoing = type in ("PaymentRejected", "ShippingRejected") and service != "orders"
        yield type, order, service, *rng.choice(MILD if undoing or order in struck else MILD + GRAVE)
        struck.add(order)


def storm_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    for _ in range(40):
        orders = some_orders(rng, rng.choice((2, 3)))
        by = {order.order_id: rng.choice(("nobody", "nobody", "stock", "payment", "shipping")) for order in orders}
        messages = [(type, order, service) for order in by for type in COURSE[by[order]]
                    for service in SUBSCRIBERS[type]]
        yield Plan(orders, rejects=tuple((order, who) for order, who in by.items() if who != "nobody"),
                   crashes=tuple(rng.sample(range(1, 40), rng.choice((0, 1, 2)))),
                   pauses=tuple(rng.sample(range(1, 40), rng.choice((0, 1)))),
                   faults=tuple(some_faults(rng, messages))), False


HANDLERS = ("stock", "payment", "orders")
CHECKS = {name: Check(HANDLERS + more, plans, rules.RULES) for name, plans, more in (
    ("flow", flow_plans, ()), ("crash", crash_plans, ()), ("duplicates", duplicates_plans, ()),
    ("stuck", stuck_plans, ("overdue",)), ("reordered", reordered_plans, ("overdue",)),
    ("rivals", rivals_plans, ("overdue",)), ("storm", storm_plans, ("overdue",)))}


def fewer(plan: Plan) -> Iterator[Plan]:
    """The same plan with one fault less, in every way, or without its last order."""
    yield from without_one(plan, ("crashes", "pauses", "faults", "rejects"))
    if len(plan.orders) > 1:
        yield replace(plan, orders=plan.orders[:-1])


def plan_of(run: Run) -> Plan:
    """The plan of a recorded run."""
    pairs = {kind: tuple(map(tuple, run.plan[kind])) for kind in ("faults", "rejects")}
    steps = {kind: tuple(run.plan[kind]) for kind in ("crashes", "pauses")}
    return Plan(**{**run.plan, **pairs, **steps, "orders": tuple(rules.orders(run))})


EXERCISE = Exercise(CHECKS, rules, perform, Run, plan_of, fewer)
attack, finding, verdict, judge = EXERCISE.attack, EXERCISE.finding, EXERCISE.verdict, EXERCISE.judge
shrunk, attacked = EXERCISE.shrunk, EXERCISE.attacked


def flow(stock, payment, orders, *, seeds=PUBLIC, record=None) -> Verdict:
    """Every order is done as a whole, or leaves nothing behind."""
    return attacked("flow", seeds, record, stock=stock, payment=payment, orders=orders)


def crash(stock, payment, orders, *, seeds=PUBLIC, record=None) -> Verdict:
    """A service may die before every step, and is told again."""
    return attacked("crash", seeds, record, stock=stock, payment=payment, orders=orders)


def duplicates(stock, payment, orders, *, seeds=PUBLIC, record=None) -> Verdict:
    """Every message comes again, at once or after everything is over."""
    return attacked("duplicates", seeds, record, stock=stock, payment=payment, orders=orders)


def stuck(stock, payment, orders, overdue, *, seeds=PUBLIC, record=None) -> Verdict:
    """A message is lost for good: the order is cancelled after its deadline, and ends."""
    return attacked("stuck", seeds, record, stock=stock, payment=payment, orders=orders, overdue=overdue)


def reordered(stock, payment, orders, overdue, *, seeds=PUBLIC, record=None) -> Verdict:
    """A message is late, some so late that they are overtaken by what undoes them."""
    return attacked("reordered", seeds, record, stock=stock, payment=payment, orders=orders, overdue=overdue)


def rivals(stock, payment, orders, overdue, *, seeds=PUBLIC, record=None) -> Verdict:
    """Two instances of a service handle the same messages, one of them from the past."""
    return attacked("rivals", seeds, record, stock=stock, payment=payment, orders=orders, overdue=overdue)


def storm(stock, payment, orders, overdue, *, seeds=PUBLIC, record=None) -> Verdict:
    """Several orders under several faults at once."""
    return attacked("storm", seeds, record, stock=stock, payment=payment, orders=orders, overdue=overdue)
