"""The rules of a saga by events, each a generator of sentences about one recorded run that breaks it.

A rule sees only what could be observed: the steps, what was published, and what the databases say in the end.

    safety    impossible, twice, leaked, unpaid, torn, repeats, hasty
    liveness  error, stuck, unfinished, stranded, needless: a service that stays silent, or always says no, breaks these
"""
from collections import Counter
from collections.abc import Iterator

from exercises.attack import Finding
from exercises.attack.story import first_broken

from .services import DEADLINE, Order
from .stage import Run
from .story import words

ENDS = ("done", "failed")


def calls(run: Run) -> list[dict]:
    """The calls of a run."""
    return [event for event in run.events if event["what"] == "call"]


def orders(run: Run) -> list[Order]:
    """The orders of a run, as they were placed."""
    return [Order(*order) for order in run.plan["orders"]]


def things(run: Run) -> Iterator[tuple[str, str, int, int, list[Order]]]:
    """Everything that can be taken: a name, words for it, how much there was and is, and who may have taken it."""
    for sku, had in run.before["stock"].items():
        yield sku, f"pieces of {sku}", had, run.after["stock"].get(sku, 0), [o for o in orders(run) if o.sku == sku]
    for who, had in run.before["payment"].items():
        mine = [o for o in orders(run) if o.customer == who]
        yield who, f"of {who}'s money", had, run.after["payment"].get(who, 0), mine


def worth(run: Run, name: str, order: Order) -> int:
    """How much of a thing one order takes: a piece, or its amount."""
    return 1 if name in run.before["stock"] else order.amount


def missing(run: Run) -> set[str]:
    """Orders one of whose messages was lost, or was as late as the deadline itself: those may be cancelled."""
    return {event["order"] for event in run.events if event.get("fault")
            and (event["what"] == "lost" or event["what"] == "late" and event["seconds"] >= DEADLINE)}


def refused(run: Run) -> set[str]:
    """Orders that may fail: the carrier rejects them, or there is less than their sku or their customer would need."""
    short = {order.order_id for name, _, had, _, whose in things(run) for order in whose
             if sum(worth(run, name, each) for each in whose) > had}
    return short | {order for order, _ in run.plan["rejects"]}


def error(run: Run) -> Iterator[str]:
    """A call raised; only in a race two instances may get into each other's way, and the database decides."""
    race = any(event["what"] == "pause" for event in run.events)
    for call in calls(run):
        if call["outcome"] == "fail" and not (race and call["error"] in ("OperationalError", "IntegrityError")):
            yield f"{call['call']}({call['about']}) raised {call['error']}: {call['message'][:200]}."


def stuck(run: Run) -> Iterator[str]:
    """A call never comes back."""
    for call in calls(run):
        if call["outcome"] == "endless":
            yield f"{call['call']}({call['about']}) went on and on without returning."


def impossible(run: Run) -> Iterator[str]:
    """Less than nothing, or more than there ever was."""
    for name, label, had, _, _ in things(run):
        least, most = run.range.get(name, (0, 0))
        if least < 0:
            yield f"At one time there were {least} {label}: more was taken than there was."
        if most > had:
            yield f"At one time there were {most} {label}, and never more than {had} existed: something was given back" \
                  " that had not been taken."


def twice(run: Run) -> Iterator[str]:
    """More was taken than all orders together could take."""
    for name, label, had, has, whose in things(run):
        demand = sum(worth(run, name, order) for order in whose)
        if had - has > demand:
            yield f"{had - has} {label} were taken, and all orders together need {demand}."


def settled(run: Run) -> Iterator[tuple[str, int, int]]:
    """What was taken and should have been, of everything whose orders have all ended."""
    for name, label, had, has, whose in things(run):
        if all(run.orders.get(order.order_id) in ENDS for order in whose):
            done = [order for order in whose if run.orders[order.order_id] == "done"]
            yield label, had - has, sum(worth(run, name, order) for order in done)


def leaked(run: Run) -> Iterator[str]:
    """Something is taken for an order that failed."""
    for label, taken, owed in settled(run):
        if taken > owed:
            yield f"{taken} {label} were taken for good, and the orders that are done account for {owed}."


def unpaid(run: Run) -> Iterator[str]:
    """An order is done, but not everything was taken for it."""
    for label, taken, owed in settled(run):
        if taken < owed:
            yield f"Orders for {owed} {label} are done, but only {taken} were taken."


def torn(run: Run) -> Iterator[str]:
    """The carrier and the order disagree."""
    for order, status in run.orders.items():
        if status == "done" and order not in run.shipped:
            yield f"Order {order} is done, but it was never shipped."
        if status == "failed" and order in run.shipped:
            yield f"Order {order} failed, but it was shipped: behind the pivot there is no way back."


def repeats(run: Run) -> Iterator[str]:
    """A service announces the same thing again."""
    for (service, type, order), times in Counter((who, *what) for _, who, *what in run.published).items():
        if times > 1:
            yield f"The {service} service announced {type} for order {order} {times} times."


def hasty(run: Run) -> Iterator[str]:
    """An order is cancelled before its deadline, or after its end."""
    placed = {order.order_id: order.placed_at for order in orders(run)}
    for second, _, type, order in run.published:
        age, ended = second - placed.get(order, second), run.ended.get(order, second)
        if type == "OrderCancelled" and age <= DEADLINE:
            yield f"Order {order} was cancelled {age} seconds after it was placed."
        if type == "OrderCancelled" and ended < second:
            yield f"Order {order} had been {run.orders[order]} for {second - ended} seconds when it was cancelled."


def unfinished(run: Run) -> Iterator[str]:
    """All is quiet, and an order has neither been done nor failed."""
    for order in orders(run):
        if run.orders.get(order.order_id) not in ENDS:
            yield f"Order {order.order_id} is {run.orders.get(order.order_id, 'unknown')} for ever."


def stranded(run: Run) -> Iterator[str]:
    """An order had to be cancelled, although every message arrived in time."""
    for _, _, type, order in run.published:
        if type == "OrderCancelled" and order not in missing(run):
            yield f"Order {order} had to be cancelled although no message was missing: some service kept silent."


def needless(run: Run) -> Iterator[str]:
    """An order failed that nobody had to refuse."""
    for order, status in run.orders.items():
        if status == "failed" and order not in refused(run) | missing(run):
            yield f"Order {order} failed, although there was everything it needed and nothing was lost."


def unfired(run: Run) -> Iterator[str]:
    """The faults of the plan never happened, so the run proves nothing."""
    planned = any(run.plan[kind] for kind in ("crashes", "pauses", "faults"))
    if planned and not any(event.get("fault") for event in run.events):
        yield "The attack found nothing to attack: none of its faults took place."


# Causes before their consequences: the first broken rule is the one worth telling.
RULES = (error, stuck, impossible, twice, torn, leaked, unpaid, repeats, hasty, unfinished, stranded, needless, unfired)


def finding(run: Run, rules=RULES) -> Finding | None:
    """The first broken rule of a run, explained; None if all hold."""
    return first_broken(run, [rule for rule in RULES if rule in rules], words)


def unattempted(run: Run) -> bool:
    """Whether a function still is the stub of the exercise."""
    return any(call.get("error") == "NotImplementedError" for call in calls(run))
