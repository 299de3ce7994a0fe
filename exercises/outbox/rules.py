"""The rules of the outbox pattern, each a generator of sentences about one recorded run that breaks it.

A rule sees only what could be observed: the steps, the two databases and the broker's log. It accepts whatever a crash
left undecided (an order in flight may be there or not) and the duplicates that a fault explains, and nothing else.

    safety    unsaved, garbled, renamed, phantom, torn, lost, inverted, duplicate, twice, missing
    liveness  error, stuck, unacked: a program that does nothing breaks these
"""
from collections import Counter
from collections.abc import Iterator

from exercises.attack import Finding
from exercises.attack.story import first_broken

from .stage import Run
from .story import words

EXPECTED = {"relay_once": {"NotConfirmed", "Refused"}}  # what a caller of the function must be ready for


def calls(run: Run, name: str = "") -> list[dict]:
    """The calls of a run, or of one function."""
    return [event for event in run.events if event["what"] == "call" and event["call"].startswith(name)]


def committed(run: Run) -> dict[str, tuple[str, int]]:
    """The orders in the database, in the order in which they were placed."""
    return {order: (customer, amount) for order, customer, amount in run.orders}


def announceable(run: Run) -> list[str]:
    """Committed orders whose event can reach the broker: not refused, nor behind a refused one of the same customer."""
    blocked, free = set(), []
    for order, (customer, _) in committed(run).items():
        if order in run.plan["refused"]:
            blocked.add(customer)
        elif customer not in blocked:
            free.append(order)
    return free


def states(run: Run) -> dict[str, str]:
    """The state of each order's outbox row."""
    return {row[1]: row[4] for row in run.outbox}


def published(run: Run) -> list[str]:
    """Orders in the sequence in which the broker stored their events, copies included."""
    return [event[1] for event in run.stored]


def named(run: Run, order: str) -> str:
    """The order with its customer and amount, as the plan has it."""
    known = {name: f"order {name} ({customer}, {amount})" for name, customer, amount in run.plan["orders"]}
    return known.get(order, f"order {order}, which nobody placed,")


def error(run: Run) -> Iterator[str]:
    """A call raised something its caller cannot be expected to handle."""
    bad = {order for order, _, amount in run.plan["orders"] if amount <= 0}
    for call in calls(run):
        rejected = call["call"] == "place_order" and call["about"] in bad
        if call["outcome"] == "fail" and not rejected and call["error"] not in EXPECTED.get(call["call"], ()):
            yield f"{call['call']}({call['about']}) raised {call['error']}: {call['message'][:200]}."


def unsaved(run: Run) -> Iterator[str]:
    """place_order returned as if all was well, and the order is not there."""
    for call in calls(run, "place_order"):
        if call["outcome"] == "ok" and call["about"] not in committed(run):
            yield f"place_order returned normally, but {named(run, call['about'])} is not in the database."


def garbled(run: Run) -> Iterator[str]:
    """An event or an outbox row says something else than its order."""
    told = [("outbox row", row) for row in run.outbox] + [("event", row) for row in run.stored]
    for what, (_, order, customer, amount, *_) in told:
        if (customer, amount) != committed(run).get(order, (customer, amount)):
            yield f"The {what} of {named(run, order)} says {customer}, {amount}."


def renamed(run: Run) -> Iterator[str]:
    """An event was published under another id than its outbox row has, or under two ids."""
    ids = {row[1]: {row[0]} for row in run.outbox}
    for event_id, order, *_ in run.stored:
        if event_id not in ids.setdefault(order, {event_id}):
            yield (f"The event of {named(run, order)} was published as {event_id}, but it was {min(ids[order])} before:"
                   " nobody can recognise the copy.")


def phantom(run: Run) -> Iterator[str]:
    """The broker announces an order that was never committed."""
    for order in published(run):
        if order not in committed(run):
            yield f"{named(run, order).capitalize()} was announced and does not exist: its transaction never committed."


def torn(run: Run) -> Iterator[str]:
    """Only half of what belongs together was committed: an order without its outbox row, or a row without its order."""
    if not run.outbox or calls(run, "relay_once"):
        return  # no outbox in use (then `lost` tells the story), or rows that a relay may have removed already
    copies = Counter(row[1] for row in run.outbox)
    for order in committed(run):
        if copies[order] != 1 and order not in published(run):
            yield f"{named(run, order).capitalize()} is committed with {copies[order]} outbox rows; it needs one."
    for order in copies.keys() - committed(run).keys():
        yield f"The outbox row of {named(run, order)} is committed, but the order is not."


def lost(run: Run) -> Iterator[str]:
    """A committed order that nobody will ever hear of: its event is not at the broker and does not wait to be sent."""
    if not calls(run, "place_order") and not calls(run, "relay_once"):
        return
    for order in committed(run):
        sent = order in published(run) or states(run).get(order) == "waiting"
        given_up = order not in announceable(run) and states(run).get(order, "published") != "published"
        if not sent and not given_up:
            yield f"{named(run, order).capitalize()} is committed, but its event is lost: {cause(run, order)}."


def cause(run: Run, order: str) -> str:
    """What the program did instead of making sure that the broker has the event."""
    tried = [event for event in run.events if event["what"] == f"publish {order}"]
    waited = [event for event in run.events if event["what"] == f"confirm {order}"]
    if not calls(run, "relay_once"):
        return "it is in no outbox and was not published"
    if not tried:
        return "it was marked before it was published" if order in states(run) else "it has no outbox row (any more)"
    return "it was marked although the broker did not confirm it" if waited else "nobody waited for the confirmation"


def stuck(run: Run) -> Iterator[str]:
    """Nothing is in the way any more, and an event still waits; or a call never comes back."""
    for call in calls(run):
        if call["outcome"] == "endless":
            yield f"{call['call']} went on and on without returning."
    for order in announceable(run) if calls(run, "relay_once") else ():
        if order not in published(run) and states(run).get(order) == "waiting":
            rounds = len(calls(run, "relay_once"))
            yield f"The event of {named(run, order)} still waits in the outbox after {rounds} rounds of the relay."


def inverted(run: Run) -> Iterator[str]:
    """A customer's events reached the broker for the first time in another order than they were committed."""
    first = list(dict.fromkeys(published(run)))
    place = {order: number for number, order in enumerate(committed(run))}
    for number, later in enumerate(first):
        for earlier in first[number + 1:]:
            if place.get(earlier, 0) < place.get(later, 0) and committed(run)[earlier][0] == committed(run)[later][0]:
                yield f"{named(run, later).capitalize()} was published before {earlier} of the same customer."


def duplicate(run: Run) -> Iterator[str]:
    """An event was stored more often than the faults of the run explain: one copy more for each fault that passed."""
    passing = sum(event.get("fault", False) and event["what"] != "refused" for event in run.events)
    for order, copies in Counter(published(run)).items():
        if copies > 1 + passing:
            yield f"The event of {named(run, order)} was published {copies} times; {passing} faults excuse {passing}."


def balance(run: Run) -> dict[str, int]:
    """Per customer: what was booked minus what should have been, by distinct orders."""
    due = Counter()
    for _, order, customer, amount in {event[1]: event for event in run.stored}.values():
        due[customer] += amount
    return {customer: total - due[customer] for customer, total in run.spent.items()}


def culprit(run: Run, customer: str, difference: int) -> str:
    """The customer's order of that amount (no two orders of a plan have the same), if it was one."""
    orders = {(who, amount): order for order, who, amount in run.plan["orders"]}
    order = orders.get((customer, difference))
    return named(run, order) if order else f"more than one order of {customer}"


def twice(run: Run) -> Iterator[str]:
    """An event took effect more than once."""
    for customer, difference in balance(run).items() if calls(run, "handle") else ():
        if difference > 0:
            who = culprit(run, customer, difference)
            yield f"{customer.capitalize()}'s total is {difference} too high: {who} was booked twice."


def missing(run: Run) -> Iterator[str]:
    """An event was delivered and acknowledged, and left no effect."""
    for customer, difference in balance(run).items() if calls(run, "handle") else ():
        if difference < 0 and not run.unacked:
            who = culprit(run, customer, -difference)
            yield f"{customer.capitalize()}'s total is {-difference} too low: {who} was never booked."


def unacked(run: Run) -> Iterator[str]:
    """A delivery is never acknowledged, so it comes again for ever."""
    for order in run.unacked if calls(run, "handle") else ():
        times = sum(call["about"] == order for call in calls(run, "handle"))
        yield f"The event of {named(run, order)} was delivered {times} times and never acknowledged."


def unfired(run: Run) -> Iterator[str]:
    """The faults of the plan never happened, so the run proves nothing."""
    planned = any(run.plan[kind] for kind in ("crashes", "publishes", "refused", "lost_acks"))
    if planned and not any(event.get("fault") for event in run.events):
        yield "The attack found nothing to attack: none of its faults took place."


# Causes before their consequences: the first broken rule is the one worth telling.
RULES = (error, unsaved, garbled, renamed, phantom, torn, lost, stuck, inverted, duplicate, twice, missing, unacked,
         unfired)


def finding(run: Run, rules=RULES) -> Finding | None:
    """The first broken rule of a run, explained; None if all hold."""
    return first_broken(run, [rule for rule in RULES if rule in rules], words)


def unattempted(run: Run) -> bool:
    """Whether a function still is the stub of the exercise."""
    return any(call.get("error") == "NotImplementedError" for call in calls(run))
