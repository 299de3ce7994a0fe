"""The rules of a saga by events, each a generator of sentences about one recorded run that breaks it.

A rule sees only what could be observed: the steps, what was published, and what the databases say in the end.

    safety    impossible, twice, leaked, unpaid, torn, repeats, hasty
    liveness  error, stuck, unfinished, stranded, needless: a service that stays silent, or always says no, breaks these
"""
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

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


class Thing(NamedTuple):
    """Something that orders take: words for it, how much there was and is, and how much each of its orders needs."""
    name: str
    label: str
    had: int
    has: int
    needs: dict[str, int]

    @property
    def taken(self) -> int:
        return self.had - self.has


def things(run: Run) -> Iterator[Thing]:
    """The pieces of each sku and the money of each customer."""
    for sku, had in run.before["stock"].items():
        needs = {order.order_id: 1 for order in orders(run) if order.sku == sku}
        yield Thing(sku, f"the {sku}", had, run.after["stock"].get(sku, 0), needs)
    for who, had in run.before["payment"].items():
        needs = {order.order_id: order.amount for order in orders(run) if order.customer == who}
        yield Thing(who, f"{who}'s money", had, run.after["payment"].get(who, 0), needs)


def missing(run: Run) -> set[str]:
    """Orders one of whose messages was lost, or was as late as the deadline itself: those may be cancelled."""
    return {event["order"] for event in run.events if event.get("fault")
            and (event["what"] == "lost" or event["what"] == "late" and event["seconds"] >= DEADLINE)}


def refused(run: Run) -> set[str]:
    """Orders that may fail: the carrier rejects them, or there is less than their sku or their customer would need."""
    short = [thing.needs for thing in things(run) if sum(thing.needs.values()) > thing.had]
    return set().union(*short, (order for order, _ in run.plan["rejects"]))


def error(run: Run) -> Iterator[str]:
    """A call raised; only in a race two instances may get into each other's way, and the database decides."""
    race = any(event["what"] == "pause" for event in run.events)
    for call in calls(run):
        beaten = race and (call.get("error") == "IntegrityError" or "locked" in call.get("message", ""))
        if call["outcome"] == "fail" and not beaten:
            yield f"{call['call']}({call['about']}) raised {call['error']}: {call['message'][:200]}."


def stuck(run: Run) -> Iterator[str]:
    """A call never comes back."""
    for call in calls(run):
        if call["outcome"] == "endless":
            yield f"{call['call']}({call['about']}) went on and on without returning."


def impossible(run: Run) -> Iterator[str]:
    """Less than nothing, or more than there ever was."""
    for thing in things(run):
        least, most = run.range.get(thing.name, (0, 0))
        if least < 0:
            yield f"At one time {least} of {thing.label} was left: more was taken than there was."
        if most > thing.had:
            yield (f"At one time {most} of {thing.label} was there, and in the beginning {thing.had}: something was"
                   " given back that had not been taken.")


def twice(run: Run) -> Iterator[str]:
    """More was taken than all orders together could take."""
    for thing in things(run):
        if thing.taken > sum(thing.needs.values()):
            yield (f"Of {thing.label}, {thing.taken} was taken, and all orders together need"
                   f" {sum(thing.needs.values())}.")


def settled(run: Run) -> Iterator[tuple[Thing, int]]:
    """Everything whose orders have all ended, and how much of it those that are done need."""
    for thing in things(run):
        if all(run.orders.get(order) in ENDS for order in thing.needs):
            yield thing, sum(need for order, need in thing.needs.items() if run.orders[order] == "done")


def leaked(run: Run) -> Iterator[str]:
    """Something is taken for an order that failed."""
    for thing, owed in settled(run):
        if thing.taken > owed:
            yield f"Of {thing.label}, {thing.taken} was taken for good, and the orders that are done need {owed}."


def unpaid(run: Run) -> Iterator[str]:
    """An order is done, but not everything was taken for it."""
    for thing, owed in settled(run):
        if thing.taken < owed:
            yield f"Of {thing.label}, only {thing.taken} was taken, and the orders that are done need {owed}."


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
