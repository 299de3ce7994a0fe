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


def messages(order: str, who: str) -> list[tuple[str, str]]:
    """Every message about an order that this service rejects: the event's id and the subscriber."""
    return [(f"{order} {type}", service) for type in COURSE[who] for service in SUBSCRIBERS[type]]


def rejected(order: str, who: str) -> tuple[tuple[str, str], ...]:
    """What a plan has to say for it."""
    return () if who == "nobody" else ((order, who),)


def courses(orders: tuple[Order, ...]) -> Iterator[tuple[Plan, list[tuple[str, str]]]]:
    """The first order done, and rejected by each service; with every message there is about it."""
    for who in COURSE:
        yield Plan(orders, rejects=rejected("o1", who)), messages("o1", who)


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
    for plan, sent in courses(some_orders(rng)):
        for message in sent:
            for seconds in (0, LONG):
                yield replace(plan, faults=((*message, "again", seconds),)), False
        yield replace(plan, faults=tuple((*message, "again", rng.choice((0, 1, LONG))) for message in sent)), False
    yield replace(plan, orders=plan.orders[:1], faults=tuple((*message, "again", 0) for message in sent)), True


def stuck_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    orders = some_orders(rng)
    lost = [("nobody", message) for message in messages("o1", "nobody")]
    lost += [(who, (f"o1 {COURSE[who][-1]}", "orders")) for who in ("stock", "payment", "shipping")]
    for who, message in lost:
        plan = Plan(orders, rejects=rejected("o1", who), faults=((*message, "lost", 0),))
        yield plan, False
        yield replace(plan, orders=orders[:1]), who == "shipping" or message[1] == "shipping"


def reordered_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    for plan, sent in courses(some_orders(rng)):
        for message in sent:
            for seconds in (SHORT, DEADLINE, DEADLINE + 2, 2 * DEADLINE):
                yield replace(plan, faults=((*message, "late", seconds),)), False


def meeting(order: Order) -> list[Plan]:
    """A reservation and a payment asked for in the same second as their undoing."""
    return [Plan((order,), faults=((event, service, "late", DEADLINE + wait),))
            for event, service, wait in (("o1 OrderPlaced", "stock", 2), ("o1 StockReserved", "payment", 1))]


def rivals_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    orders = some_orders(rng)
    first, second = orders[0], orders[1]._replace(placed_at=0)
    yield Plan((first,), rejects=rejected("o1", "shipping")), "pauses"
    yield Plan((first, second._replace(sku=first.sku, customer=first.customer))), "pauses"
    for plan in meeting(first):
        yield plan, "pauses"


# What a storm may do to any message, and what to one message of an order only; cancellations and their answers arrive.
MILD = (("late", SHORT), ("again", 0), ("again", LONG))
GRAVE = (("lost", 0), ("late", DEADLINE), ("late", DEADLINE + 2))


def some_faults(rng: random.Random, sent: list[tuple[str, str]]) -> Iterator[tuple]:
    """Faults for three of these messages, a grave one for at most one message of an order, and for no undoing."""
    struck = set()
    for event, service in rng.sample(sent, 3):
        order, _, type = event.partition(" ")
        undoing = type in ("PaymentRejected", "ShippingRejected") and service != "orders"
        yield event, service, *rng.choice(MILD if undoing or order in struck else MILD + GRAVE)
        struck.add(order)


def storm_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    for _ in range(40):
        orders = some_orders(rng, rng.choice((2, 3)))
        by = {order.order_id: rng.choice(("nobody", "nobody", "stock", "payment", "shipping")) for order in orders}
        sent = [message for order, who in by.items() for message in messages(order, who)]
        yield Plan(orders, rejects=tuple(pair for order, who in by.items() for pair in rejected(order, who)),
                   crashes=tuple(rng.sample(range(1, 40), rng.choice((0, 1, 2)))),
                   pauses=tuple(rng.sample(range(1, 40), rng.choice((0, 1)))),
                   faults=tuple(some_faults(rng, sent))), False


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
