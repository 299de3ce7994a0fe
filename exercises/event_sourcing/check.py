"""The checks of the exercise: what each one attacks, with which faults, and by which rules it judges.

In a notebook, `check.append(append)` performs a campaign and shows the verdict. A grader passes seeds nobody has seen
and a file to record into, and judges that record in its own process with `judge`.
"""
import random
from collections.abc import Iterator
from dataclasses import replace

from exercises.attack import Verdict
from exercises.attack.checks import PUBLIC, Check, Exercise, without_one

from . import rules
from .history import SCHEMA, Event, Stored, aged, as_amount
from .stage import Plan, Run, perform

AWKWARD = (29, 57, 115, 1999, 100_001)  # cents that binary fractions do not hold: 0.29 * 100 is 28.999999999999996


def some_history(rng: random.Random, stream: str, number: int, schemas=(SCHEMA,)) -> tuple[Stored, ...]:
    """A stream of `number` events, the older ones in the older of the schemas; the account stays above zero."""
    events = [Stored(stream, 0, f"{stream}-0", "opened", SCHEMA, {"owner": stream})]
    for version in range(1, number):
        kind, data = some_event(rng, first=version == 1)
        events.append(Stored(stream, version, f"{stream}-{version}", kind, SCHEMA, data))
    return tuple(aged(event, schemas[len(schemas) * event.version // number]) for event in events)


def some_event(rng: random.Random, first: bool = False) -> tuple[str, dict]:
    """An event's type and data; the first one of an account brings it enough for all that follow."""
    if first:
        return "deposited", {"cents": 500_000 + rng.choice(AWKWARD), "channel": "unknown"}
    kind = rng.choice(("deposited", "withdrawn", "withdrawn", "renamed", "interest"))
    if kind == "renamed":
        return kind, {"owner": rng.choice(("bob", "cyd", "dan"))}
    if kind == "interest":
        return kind, {"rate": "0.02", "cents": rng.randrange(1, 99)}
    return kind, {"cents": rng.choice(AWKWARD[:4]), "channel": "unknown"}


def new_events(rng: random.Random, name: str, number: int) -> tuple[Event, ...]:
    return tuple(Event(f"{name}.{n}", *some_event(rng)) for n in range(number))


# Each generator yields (plan, whether to kill at every step of it too, or the fault that strikes at every step).

def append_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    size = rng.randrange(2, 5)
    first, second, other = (new_events(rng, name, number) for name, number in (("a", 2), ("b", 1), ("c", 2)))
    orders = (("append", "ada", size, first), ("append", "ada", size + 2, second),
              ("append", "ada", size, other), ("append", "ada", size, (first[0], other[1])),
              ("append", "ada", size + 9, other), ("append", "eve", 0, new_events(rng, "d", 3)))
    plan = Plan(some_history(rng, "ada", size), (orders, ()))
    yield plan, True
    for number in range(1, len(orders) + 1):
        yield replace(plan, lost=(number,)), False
        yield replace(plan, locked=(number,)), False


def writers_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    size = rng.randrange(2, 5)
    mine, theirs = new_events(rng, "a", 2), new_events(rng, "b", rng.randrange(1, 3))
    more = ("append", "eve", 0, new_events(rng, "d", 2))
    plan = Plan(some_history(rng, "ada", size), ((("append", "ada", size, mine), more),
                                                 (("append", "ada", size, theirs),)))
    yield plan, "pauses"
    yield plan, True


def fold_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    histories = [[Event(e.event_id, e.type, e.data) for e in some_history(rng, "ada", 12)] for _ in range(3)]
    overdrawn = [Event("1", "opened", {"owner": "ada"}), Event("2", "withdrawn", {"cents": 900, "channel": "branch"}),
                 Event("3", "interest", {"rate": "0.11", "cents": -7})]  # it was allowed then
    strange = [*histories[0][:4], Event("x", "frozen", {"by": "court"}), *histories[0][4:6]]
    orders = tuple(("fold", tuple(events)) for events in (*histories, overdrawn, strange, histories[0]))
    yield Plan((), (orders, ())), False


def upcast_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    cases = [(kind, 1, {"amount": as_amount(cents)}) for kind in ("deposited", "withdrawn") for cents in AWKWARD]
    cases += [(kind, 2, {"cents": rng.randrange(10_000)}) for kind in ("deposited", "withdrawn")]
    cases += [("deposited", 3, {"cents": rng.randrange(10_000), "channel": "app"}), ("opened", 1, {"name": "ada"}),
              ("opened", 2, {"owner": "ada"}), ("renamed", 1, {"owner": "bob"}),
              ("interest", 2, {"rate": "0.02", "cents": 12})]
    rng.shuffle(cases)
    yield Plan((), (tuple(("upcast", *case) for case in cases), ())), False


def snapshot_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    size = rng.randrange(6, 10)
    history = some_history(rng, "ada", size, (1, 2, 3))
    load, snap = ("load", "ada"), ("snapshot", "ada")
    orders = (load, snap, load, ("append", "ada", size, new_events(rng, "a", 2)), load, snap, load)
    other = (("append", "ada", size, new_events(rng, "b", 1)), load)
    plan = Plan(history, (orders, ()))
    yield plan, True
    yield replace(plan, archive=True), False
    yield replace(plan, stale=True), False
    yield replace(plan, stale=True, archive=True), False
    yield Plan(history, ((snap, load, snap, load), other)), "pauses"
    yield Plan(history, ((snap, load), (*other, snap)), archive=True), False
    for number in range(1, 4):
        yield replace(plan, locked=(number,), stale=True), False


def withdraw_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    history = some_history(rng, "ada", 2)
    cents = rng.randrange(260_000, 400_000)  # one of two finds enough
    orders = ((("withdraw", "w1", "ada", cents), ("withdraw", "w3", "ada", 100)), (("withdraw", "w2", "ada", cents),))
    plan = Plan(history, orders)
    yield plan, "pauses"
    yield plan, True
    for number in range(1, 4):
        yield replace(plan, lost=(number,)), False
        yield replace(plan, locked=(number,)), False
    small = tuple(("withdraw", f"s{n}", "ada", 100) for n in range(2))
    rival = ("append", "ada", 2, new_events(rng, "b", 1)), ("withdraw", "t", "ada", 50)
    yield Plan(history, (small, rival)), "pauses"
    yield Plan(history, ((("withdraw", "same", "ada", cents),), (("withdraw", "same", "ada", cents),))), "pauses"


def storm_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    for number in range(40):
        size = rng.randrange(3, 9)
        first = ("withdraw", "w", "ada", rng.randrange(100_000, 300_000))  # three steps at least, so a crash strikes
        orders = tuple(tuple(some_order(rng, f"{writer}{n}", size) for n in range(4)) for writer in "wv")
        yield Plan(
            some_history(rng, "ada", size, (1, 2, 3)), ((first, *orders[0]), orders[1]),
            (rng.randrange(1, 4), *rng.sample(range(4, 16), rng.choice((0, 1)))),
            pauses=tuple(rng.sample(range(1, 16), rng.choice((0, 1)))),
            lost=tuple(rng.sample(range(1, 9), rng.choice((0, 1)))),
            locked=tuple(rng.sample(range(1, 9), rng.choice((0, 1)))), stale=rng.random() < .5), False


def some_order(rng: random.Random, name: str, size: int) -> tuple:
    return rng.choice((("withdraw", name, "ada", rng.randrange(100_000, 300_000)), ("load", "ada"), ("snapshot", "ada"),
                       ("append", "ada", size, new_events(rng, name, 2))))


STORE = (rules.left_open, rules.error, rules.stuck, rules.altered, rules.torn, rules.doubled, rules.gaps,
         rules.misplaced, rules.refused, rules.unanswered)
CHECKS = {
    "append": Check(("append",), append_plans, STORE),
    "writers": Check(("append",), writers_plans, STORE),
    "evolve": Check(("evolve",), fold_plans, (rules.error, rules.stuck, rules.spoiled, rules.meaning)),
    "upcast": Check(("upcast",), upcast_plans, (rules.error, rules.stuck, rules.spoiled, rules.meaning)),
    "snapshot": Check(("append", "evolve", "upcast", "load", "snapshot"), snapshot_plans,
                      (rules.cold, *STORE, rules.meaning)),
    "withdraw": Check(("append", "evolve", "upcast", "load", "withdraw"), withdraw_plans,
                      (*STORE, rules.overdrawn, rules.mistaken)),
    "storm": Check(("append", "evolve", "upcast", "load", "snapshot", "withdraw"), storm_plans, rules.RULES),
}


def fewer(plan: Plan) -> Iterator[Plan]:
    """The same plan with one fault less, in every way, or without a writer's last order."""
    yield from without_one(plan, ("crashes", "pauses", "lost", "locked"))
    if plan.stale:
        yield replace(plan, stale=False)
    for writer, orders in enumerate(plan.orders):
        if orders:
            yield replace(plan, orders=(*plan.orders[:writer], orders[:-1], *plan.orders[writer + 1:]))


def plan_of(run: Run) -> Plan:
    """The plan of a recorded run."""
    stored = tuple(Stored(*event) for event in run.plan["stored"])
    orders = tuple(tuple(map(order_of, given)) for given in run.plan["orders"])
    faults = {kind: tuple(run.plan[kind]) for kind in ("crashes", "pauses", "lost", "locked")}
    return Plan(**{**run.plan, **faults, "stored": stored, "orders": orders})


def order_of(order: list) -> tuple:
    """An order from its recorded form: events become events again."""
    return tuple(tuple(Event(*event) for event in part) if isinstance(part, list) else part for part in order)


EXERCISE = Exercise(CHECKS, rules, perform, Run, plan_of, fewer)
attack, finding, verdict, judge = EXERCISE.attack, EXERCISE.finding, EXERCISE.verdict, EXERCISE.judge
shrunk, attacked = EXERCISE.shrunk, EXERCISE.attacked


def append(append, *, seeds=PUBLIC, record=None) -> Verdict:
    """Events get the versions they were promised, all or none, once, however often they are sent."""
    return attacked("append", seeds, record, append=append)


def writers(append, *, seeds=PUBLIC, record=None) -> Verdict:
    """Of two writers with the same expected version exactly one succeeds."""
    return attacked("writers", seeds, record, append=append)


def evolve(evolve, *, seeds=PUBLIC, record=None) -> Verdict:
    """The same events make the same state, whoever folds them and when."""
    return attacked("evolve", seeds, record, evolve=evolve)


def upcast(upcast, *, seeds=PUBLIC, record=None) -> Verdict:
    """Events of every age read like today's."""
    return attacked("upcast", seeds, record, upcast=upcast)


def snapshot(append, evolve, upcast, load, snapshot, *, seeds=PUBLIC, record=None) -> Verdict:
    """A snapshot spares the fold its beginning and changes nothing else."""
    return attacked("snapshot", seeds, record, append=append, evolve=evolve, upcast=upcast, load=load,
                    snapshot=snapshot)


def withdraw(append, evolve, upcast, load, withdraw, *, seeds=PUBLIC, record=None) -> Verdict:
    """Every command is decided once, on the state it is written behind."""
    return attacked("withdraw", seeds, record, append=append, evolve=evolve, upcast=upcast, load=load,
                    withdraw=withdraw)


def storm(append, evolve, upcast, load, snapshot, withdraw, *, seeds=PUBLIC, record=None) -> Verdict:
    """All functions under several faults at once."""
    return attacked("storm", seeds, record, append=append, evolve=evolve, upcast=upcast, load=load, snapshot=snapshot,
                    withdraw=withdraw)
