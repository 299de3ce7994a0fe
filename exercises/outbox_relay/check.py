"""The checks of the exercise: what each one attacks, with which faults, and by which rules it judges.

In a notebook, `check.gap(poll)` performs a campaign and shows the verdict. A grader passes seeds nobody has seen and a
file to record into, and judges that record in its own process with `judge`.
"""
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import permutations, product

from exercises.attack import Verdict
from exercises.attack.checks import PUBLIC, Check, Exercise, without_one
from exercises.attack.visibility import LOOK, schedules

from . import rules
from .stage import Plan, Run, perform
from .table import Row
from .wal import Change

LOSSES = ("event lost", "confirmation lost")
APART = (("A", "ada"), ("B", "bob"))
TOGETHER = (("A", "ada"), ("B", "ada"))
# Two writers of two aggregates; and of one, which therefore lock it, with a number or an xid drawn before the lock.
GAPS = (("SXC", "SXC"), ("XSC", "XSC"), ("SXC", "XSC"), ("SXC", "SXR"))
LOCKS = (("XLSC", "LSXC"), ("SLXC", "LSXC"), ("SLXC", "XLSC"))


def some_first(rng: random.Random) -> tuple[int, int]:
    """Where positions and xids begin: the table is new, the database is not."""
    return 1, rng.randrange(700, 9000)


def text(schedule: Iterable[tuple[str, str]]) -> str:
    """A schedule as words."""
    return " ".join(who + action for who, action in schedule)


def every(variants, aggregates, rng: random.Random) -> Iterator[Plan]:
    """A plan for every schedule of these writers."""
    for writers in variants:
        first = some_first(rng)
        for schedule in schedules(*writers):
            yield Plan("poll", text(schedule), aggregates, first)


def longer(plan: Plan) -> Plan:
    """The schedule with one more look at the end, for a relay that dies in the last one."""
    return replace(plan, schedule=f"{plan.schedule} {''.join(LOOK)}")


def sampled(rng: random.Random, writers: list[tuple[str, str]], looks: float, most: int = 3) -> Plan:
    """A schedule drawn at random for (aggregate, actions) pairs, `most` transactions at a time, begun in this order."""
    names = {f"T{n}": writer for n, writer in enumerate(writers, start=1)}
    todo, locks, words = {name: actions for name, (_, actions) in names.items()}, {}, []
    while todo:
        name = rng.choice([name for name in list(todo)[:most]
                           if todo[name][0] != "L" or names[name][0] not in locks])
        action, todo[name] = todo[name][0], todo[name][1:]
        words += [(name, action), *[LOOK] * (rng.random() < looks)]
        if action == "L":
            locks[names[name][0]] = name
        if not todo[name]:
            del todo[name]
            locks = {aggregate: owner for aggregate, owner in locks.items() if owner != name}
    aggregates = tuple((name, aggregate) for name, (aggregate, _) in names.items())
    return Plan("poll", text([*words, LOOK, LOOK, LOOK]), aggregates, some_first(rng))


def some_schedule(rng: random.Random, writers: int, looks: float = .2) -> Plan:
    """Several writers of two aggregates, each in its own way, some of which write nothing here or roll back."""
    ways = ("XLSC", "LSXC", "SLXC", "LXSC", "XLSR", "SLXR", "XC")
    return sampled(rng, [(rng.choice(("ada", "ada", "bob")), rng.choice(ways)) for _ in range(writers)], looks)


def bystanders(rng: random.Random) -> Iterator[Plan]:
    """Two writers of one aggregate and a third transaction: every order of xids, locks and ends, a look anywhere."""
    aggregates, first = (*TOGETHER, ("O", "nobody")), some_first(rng)
    for xids, writers, end, place in product(permutations("ABO"), ("AB", "BA"), range(7), range(8)):
        actions = [(who, action) for who in writers for action in "LSC"]
        actions.insert(end, ("O", "C"))
        actions.insert(place, LOOK)
        yield Plan("poll", text([*((who, "X") for who in xids), *actions, LOOK, LOOK]), aggregates, first)


# Each generator yields (plan, whether to kill at every step of it too, or the fault that strikes at every step).

def gap_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    plans = list(every(GAPS, APART, rng))
    yield from ((plan, False) for plan in plans)
    yield from ((longer(plan), True) for plan in rng.sample(plans, 20))


def order_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    plans = list(every(LOCKS, TOGETHER, rng))
    yield from ((plan, False) for plan in plans)
    yield from ((longer(plan), True) for plan in rng.sample(plans, 10))
    yield from ((plan, False) for plan in bystanders(rng))
    yield from ((some_schedule(rng, 5, .4), False) for _ in range(100))


def cursor_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    for _ in range(6):
        yield some_schedule(rng, 120), False
    plan = some_schedule(rng, 40)
    for step in rng.sample(range(1, 40), 8):
        yield replace(plan, crashes=(step,)), False


def some_rows(rng: random.Random, number: int = 6, first: str = "") -> tuple[Row, ...]:
    """Rows of three aggregates in the order of their commits, `first` in front; two positions are exchanged."""
    owners = ["ada", "ada", "bob", "cyd", *rng.choices(("ada", "bob"), k=number - 4)]
    rng.shuffle(owners)
    owners.sort(key=lambda owner: owner != first)
    start, xid = rng.randrange(1, 5000), rng.randrange(700, 9000)
    positions = list(range(start, start + number))
    place, other = (n for n, owner in enumerate(owners) if owner == "ada" and owners[:n].count("ada") < 2)
    positions[place], positions[other] = positions[other], positions[place]
    return tuple(Row(position, xid + n, owner, owners[:n].count(owner) + 1)
                 for n, (position, owner) in enumerate(zip(positions, owners)))


def relay_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    rows = some_rows(rng)
    yield Plan("relay", rows=rows), True
    for loss in LOSSES:
        for number in range(1, len(rows) + 1):
            yield Plan("relay", rows=rows, losses=((number, loss),)), False
    more = some_rows(rng, 8)
    for step in range(2, 12):
        yield Plan("relay", rows=more[:5], late=tuple((step + 2 * n, row) for n, row in enumerate(more[5:]))), False


def rivals_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    plan = Plan("relay", rows=some_rows(rng), seconds=5)
    yield plan, "pauses"
    yield replace(plan, seconds=60), "pauses"
    for number in range(1, 5):
        lossy = replace(plan, seconds=60, losses=tuple((n, "event lost") for n in range(number, number + 3)))
        for step in range(1, 9):
            yield replace(lossy, pauses=(step,)), False


def slow_rows(rng: random.Random, number: int) -> tuple[Row, ...]:
    """Rows one of which was on its way for minutes: its position is among the first, its commit among the last."""
    rows = list(some_rows(rng, number, first="cyd"))
    slow = min(rows[1:])
    rows.remove(slow)
    rows.insert(rng.randrange(22, number - 3), slow)
    return tuple(rows)


def cleanup_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    for _ in range(3):
        yield Plan("cleanup", rows=slow_rows(rng, 40)), False
    plan = Plan("cleanup", rows=slow_rows(rng, 30), seconds=10)
    yield plan, True
    yield plan, "pauses"


def some_log(rng: random.Random, old: tuple[Row, ...] = ()) -> tuple[tuple[Change, ...], ...]:
    """Five transactions of one to three rows whose changes lie among each other's, one of a cleanup, and a snapshot."""
    sizes = rng.sample((1, 1, 2, 2, 3), 5)
    rows, lsn, log = iter(some_rows(rng, sum(sizes))), rng.randrange(1000, 9000), []
    if old:
        log.append((*(Change("snapshot", lsn, row) for row in old), Change("commit", lsn + 8)))
    for size in sizes:
        lsn += 100
        places = sorted(rng.sample(range(lsn - 60, lsn + 60), size))
        log.append((*(Change("insert", place, next(rows)) for place in places), Change("commit", lsn + 70)))
    row = log[-2][0].row
    log.append((Change("update", lsn + 100, row), Change("delete", lsn + 101, row), Change("commit", lsn + 150)))
    return tuple(log)


def follow_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    plan = Plan("follow", log=some_log(rng))
    yield plan, True
    for loss in LOSSES:
        for number in range(1, 8):
            yield replace(plan, losses=((number, loss),)), False
    shared = some_rows(rng)[:4]
    old = tuple(row._replace(aggregate="old-" + row.aggregate) for row in shared)
    yield Plan("follow", log=some_log(rng, old), old=tuple(row.id for row in old[:3])), True


def storm_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    for number in range(60):
        crashes = tuple(rng.sample(range(1, 14), rng.choice((1, 2, 3))))
        losses = tuple((n, rng.choice(LOSSES)) for n in rng.sample(range(1, 6), rng.choice((0, 1, 2))))
        if number % 3 == 0:
            yield replace(some_schedule(rng, 12), crashes=crashes), False
        elif number % 3 == 1:
            more = some_rows(rng, 8)
            late = tuple(zip(sorted(rng.sample(range(2, 12), 2)), more[6:]))
            yield Plan("relay", rows=more[:6], late=late, crashes=crashes, losses=losses,
                       pauses=tuple(rng.sample(range(1, 14), 1)), seconds=rng.choice((5, 60))), False
        else:
            yield Plan("follow", log=some_log(rng), crashes=crashes, losses=losses), False


COMMON = (rules.error, rules.stuck, rules.lost, rules.stalled, rules.repeated, rules.unrecognised)
CHECKS = {
    "gap": Check(("poll",), gap_plans, COMMON),
    "order": Check(("poll",), order_plans, (*COMMON, rules.inverted)),
    "cursor": Check(("poll",), cursor_plans, (*COMMON, rules.inverted, rules.hoards)),
    "relay": Check(("relay",), relay_plans, (*COMMON, rules.inverted, rules.hoards)),
    "rivals": Check(("relay",), rivals_plans, (*COMMON, rules.inverted, rules.hoards, rules.held_up)),
    "cleanup": Check(("cleanup",), cleanup_plans, (rules.error, rules.stuck, rules.lost, rules.hasty, rules.hoards)),
    "follow": Check(("follow",), follow_plans, (*COMMON, rules.inverted, rules.hoards)),
    "storm": Check(("poll", "relay", "follow"), storm_plans, (*COMMON, rules.inverted)),
}


def fewer(plan: Plan) -> Iterator[Plan]:
    """The same plan with one fault less, in every way, or without its last row or transaction."""
    yield from without_one(plan, ("crashes", "pauses", "losses", "late"))
    if plan.program == "follow" and plan.log:
        yield replace(plan, log=plan.log[:-1])
    if plan.program == "relay" and plan.rows and not plan.late:
        yield replace(plan, rows=plan.rows[:-1])
    if plan.program == "poll":
        names = dict.fromkeys(word[:-1] for word in plan.schedule.split() if word[:-1] != LOOK[0])
        yield from (without(plan, name) for name in names)
        yield from fewer_looks(plan)


def without(plan: Plan, name: str) -> Plan:
    """The schedule without one of its transactions."""
    return replace(plan, schedule=" ".join(word for word in plan.schedule.split() if word[:-1] != name))


def fewer_looks(plan: Plan) -> Iterator[Plan]:
    """The schedule without one of the looks before the last two."""
    words = plan.schedule.split()
    for place in [place for place, word in enumerate(words) if word == "".join(LOOK)][:-2]:
        yield replace(plan, schedule=" ".join(words[:place] + words[place + 1:]))


def row_of(row: list | None) -> Row | None:
    return Row(*row) if row else None


def plan_of(run: Run) -> Plan:
    """The plan of a recorded run."""
    plan = run.plan
    log = tuple(tuple(Change(kind, lsn, row_of(row)) for kind, lsn, row in changes) for changes in plan["log"])
    pairs = {kind: tuple(map(tuple, plan[kind])) for kind in ("aggregates", "losses")}
    lists = {kind: tuple(plan[kind]) for kind in ("first", "old", "crashes", "pauses")}
    return Plan(**plan | pairs | lists | {"rows": tuple(map(row_of, plan["rows"])), "log": log,
                                          "late": tuple((step, row_of(row)) for step, row in plan["late"])})


EXERCISE = Exercise(CHECKS, rules, perform, Run, plan_of, fewer)
attack, finding, verdict, judge = EXERCISE.attack, EXERCISE.finding, EXERCISE.verdict, EXERCISE.judge
shrunk, attacked = EXERCISE.shrunk, EXERCISE.attacked


def gap(poll, *, seeds=PUBLIC, record=None) -> Verdict:
    """Every order in which two writers draw numbers, commit or roll back: nothing is lost or waits for ever."""
    return attacked("gap", seeds, record, poll=poll)


def order(poll, *, seeds=PUBLIC, record=None) -> Verdict:
    """Every order in which two writers can change one aggregate, and many with more: its events stay in order."""
    return attacked("order", seeds, record, poll=poll)


def cursor(poll, *, seeds=PUBLIC, record=None) -> Verdict:
    """Long histories: what the relay remembers does not grow with them."""
    return attacked("cursor", seeds, record, poll=poll)


def relay(relay, *, seeds=PUBLIC, record=None) -> Verdict:
    """Two relays in turn publish everything once and in order, wherever one dies and whatever the broker loses."""
    return attacked("relay", seeds, record, relay=relay)


def rivals(relay, *, seeds=PUBLIC, record=None) -> Verdict:
    """The same when one relay is paused at any step, for a moment or for longer than its claims last."""
    return attacked("rivals", seeds, record, relay=relay)


def cleanup(cleanup, *, seeds=PUBLIC, record=None) -> Verdict:
    """The table stays small, no row goes too early, and none unpublished."""
    return attacked("cleanup", seeds, record, cleanup=cleanup)


def follow(follow, *, seeds=PUBLIC, record=None) -> Verdict:
    """The log of commits reaches the broker, wherever its relay dies and whatever the broker loses."""
    return attacked("follow", seeds, record, follow=follow)


def storm(poll, relay, follow, *, seeds=PUBLIC, record=None) -> Verdict:
    """All relays under several faults at once."""
    return attacked("storm", seeds, record, poll=poll, relay=relay, follow=follow)
