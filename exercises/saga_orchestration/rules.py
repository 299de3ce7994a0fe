"""The rules of a saga, each a generator of sentences about one recorded run that breaks it.

A rule sees only what could be observed: the steps, what the services did, and what the database says in the end.

    safety    twice, leaked, torn, taken_back, out_of_order, overspent
    liveness  error, stuck, unfinished, needless: a saga that fails every order, or does nothing, breaks these
"""
from collections import Counter
from collections.abc import Iterator

from exercises.attack import Finding
from exercises.attack.story import first_broken

from .services import FORWARD, UNDO
from .stage import Run
from .story import words

MAY_ESCAPE = ("NoAnswer", "Busy")
PATIENCE = 3


def calls(run: Run) -> list[dict]:
    """The calls of a run."""
    return [event for event in run.events if event["what"] == "call"]


def net(run: Run, order: str) -> dict[str, int]:
    """How often each forward step of an order is in effect: done less undone."""
    count = Counter(name for name, whose in run.effects if whose == order)
    taken = {forward: count[undo] for undo, forward in UNDO.items()}
    return {name: count[name] - taken.get(name, 0) for name in FORWARD}


def refused(run: Run) -> set[str]:
    """Orders that may fail: a service rejects them, or one that can be undone gave no answer three times.

    A worker that died may have been waiting for an answer, so each crash counts as one that did not come.
    """
    crashes = sum(event["what"] == "crash" for event in run.events)
    unanswered = Counter((event["order"], event["service"]) for event in run.events
                         if event.get("fault") and event.get("service") in UNDO.values() and event["what"] != "busy")
    return {order for order, _ in run.plan["rejects"]} | {
        order for (order, _), times in unanswered.items() if times + crashes >= PATIENCE}


def error(run: Run) -> Iterator[str]:
    """A call raised something its caller cannot be expected to handle."""
    busy = any(event["what"] == "pause" for event in run.events)
    for call in calls(run):
        locked = call.get("error") == "OperationalError" and "locked" in call["message"] and busy
        if call["outcome"] == "fail" and call["error"] not in MAY_ESCAPE and not locked:
            yield f"{call['call']}({call['about']}) raised {call['error']}: {call['message'][:200]}."


def stuck(run: Run) -> Iterator[str]:
    """A call never comes back."""
    for call in calls(run):
        if call["outcome"] == "endless":
            yield f"{call['call']}({call['about']}) went on and on without returning."


def twice(run: Run) -> Iterator[str]:
    """A step of an order took effect twice."""
    for (name, order), times in Counter(map(tuple, run.effects)).items():
        if times > 1:
            yield f"{name} took effect {times} times for order {order}."


def taken_back(run: Run) -> Iterator[str]:
    """Something was undone although the goods are on their way."""
    for order in run.orders:
        names = [name for name, whose in run.effects if whose == order]
        if "ship" in names and set(names) & set(UNDO):
            undone = next(name for name in names if name in UNDO)
            yield f"Order {order} was shipped and there was a {undone}: behind the pivot there is no way back."


def out_of_order(run: Run) -> Iterator[str]:
    """Compensations not in reverse."""
    for order in run.orders:
        names = [name for name, whose in run.effects if whose == order and name in UNDO]
        if names == ["release", "refund"]:
            yield f"Order {order} gave back its goods before its money: compensations run in reverse."


def leaked(run: Run) -> Iterator[str]:
    """An order failed, but something of it is still in effect."""
    for order, status in run.orders.items():
        left = [name for name, times in net(run, order).items() if times]
        if status == "failed" and left:
            yield f"Order {order} failed, but its {' and '.join(left)} is still in effect."


def torn(run: Run) -> Iterator[str]:
    """An order is done, but not all of it."""
    for order, status in run.orders.items():
        missing = [name for name, times in net(run, order).items() if times != 1]
        if status == "done" and missing:
            yield f"Order {order} is done, but without its {' and '.join(missing)}."


def overspent(run: Run) -> Iterator[str]:
    """More or less was held than should be, or something is left or missing in the end."""
    for customer, most in run.most_held.items():
        if not 0 <= most <= run.plan["credit"]:
            yield f"At one time {most} were held for {customer}, who has a credit of {run.plan['credit']}."
    for order, customer, amount in run.plan["orders"]:
        if any(whose == order for _, whose in run.effects) and run.most_held[customer] < amount:
            yield (f"Order {order} costs {amount}, and never more than {run.most_held[customer]} were held for "
                   f"{customer}.")
    pending = {who for order, who, _ in run.plan["orders"] if run.orders.get(order) not in ("done", "failed")}
    for customer, held in run.held.items():
        if held and customer not in pending:
            yield f"All orders of {customer} have ended, and {held} are still held."


def unfinished(run: Run) -> Iterator[str]:
    """All is quiet, and an order has neither been done nor failed."""
    for order, _, _ in run.plan["orders"]:
        if run.orders.get(order) not in ("done", "failed"):
            done = [name for name, times in net(run, order).items() if times]
            so_far = f" with {' and '.join(done)} in effect" if done else ""
            yield f"Order {order} is {run.orders.get(order, 'unknown')} for ever{so_far}."


def needless(run: Run) -> Iterator[str]:
    """An order failed that nobody refused, or was done against a refusal."""
    demand = Counter()
    for _, customer, amount in run.plan["orders"]:
        demand[customer] += amount
    for order, customer, _ in run.plan["orders"]:
        if run.orders.get(order) == "failed" and order not in refused(run) and demand[customer] <= run.plan["credit"]:
            yield f"Order {order} failed, although no service refused it and {customer} has credit."


def unfired(run: Run) -> Iterator[str]:
    """The faults of the plan never happened, so the run proves nothing."""
    planned = any(run.plan[kind] for kind in ("crashes", "pauses", "faults", "silent"))
    if planned and not any(event.get("fault") for event in run.events):
        yield "The attack found nothing to attack: none of its faults took place."


# Causes before their consequences: the first broken rule is the one worth telling.
RULES = (error, stuck, taken_back, twice, leaked, torn, out_of_order, overspent, unfinished, needless, unfired)


def finding(run: Run, rules=RULES) -> Finding | None:
    """The first broken rule of a run, explained; None if all hold."""
    return first_broken(run, [rule for rule in RULES if rule in rules], words)


def unattempted(run: Run) -> bool:
    """Whether a function still is the stub of the exercise."""
    return any(call.get("error") == "NotImplementedError" for call in calls(run))
