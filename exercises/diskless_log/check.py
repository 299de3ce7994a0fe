"""The checks of the exercise: what each one attacks, with which faults, and by which rules it judges.

In a notebook, `check.commit(flush, read)` performs a campaign and shows the verdict. A grader passes seeds nobody has
seen and a file to record into, and judges that record in its own process with `judge`.
"""
import random
from collections.abc import Iterator
from dataclasses import replace

from exercises.attack import Verdict
from exercises.attack.checks import PUBLIC, Check, Exercise, without_one

from . import rules
from .stage import Plan, Produced, Run, perform, produced
from .store import LOSSES

PRODUCERS, PARTITIONS = ("shop-1", "shop-2", "shop-3"), ("orders", "clicks")


class Producers:
    """Producers that count: each `next` is the following batch of one of them for one partition."""

    def __init__(self, rng: random.Random):
        self.rng, self.counts = rng, {}

    def next(self, producer: str, partition: str = "orders", least: int = 1) -> Produced:
        count, sequence = self.rng.randrange(least, 4), self.counts.get((producer, partition), 0)
        self.counts[producer, partition] = sequence + count
        return produced(producer, partition, sequence, count)

    def some(self, number: int) -> list[Produced]:
        """Batches of anybody for any partition."""
        return [self.next(self.rng.choice(PRODUCERS), self.rng.choice(PARTITIONS)) for _ in range(number)]


# Each generator yields (plan, whether to kill at every step of it too, or the fault that strikes at every step).

def commit_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    new = Producers(rng).next
    first = (new("shop-1"), new("shop-2"), new("shop-1", "clicks"), new("shop-1"))
    flushes = ((1, first), (1, (new("shop-3"), new("shop-2", "clicks"))), (2, (new("shop-3", "clicks"),)))
    reads = (("orders", 0), ("clicks", 1), ("orders", rng.randrange(1, 4)))
    plan = Plan(flushes, reads)
    yield plan, True
    for loss in LOSSES:
        for number in range(1, 7):
            yield replace(plan, losses=((number, loss),)), False


def race_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    new = Producers(rng).next
    mine, theirs, late = (new("shop-1"), new("shop-3", "clicks")), (new("shop-2"),), (new("shop-3"),)
    plan = Plan(((1, mine), (2, theirs)), (("orders", 0), ("clicks", 0)))
    yield from ((each, False) for each in overtaken(plan, "agent-1", "agent-2", 6))
    yield plan, "pauses"
    more = replace(plan, flushes=((1, mine), (2, theirs), (3, late)))
    for _ in range(10):
        steps = sorted(rng.sample(range(1, 13), 4))
        yield replace(more, switches=tuple((step, f"agent-{rng.randrange(1, 4)}") for step in steps)), False


def overtaken(plan: Plan, one: str, other: str, most: int) -> Iterator[Plan]:
    """One is stopped before each of its first steps, the other does some of its own, then one goes on."""
    for step in range(1, most + 1):
        yield replace(plan, switches=((step, other),))
        for done in range(1, most + 1):
            yield replace(plan, switches=((step, other), (step + done, one)))


def sequence_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    new = Producers(rng).next
    a, b, c, other = new("shop-1"), new("shop-1"), new("shop-1"), new("shop-1", "clicks")
    foreign = new("shop-2")
    yield Plan(((1, (a, other)), (2, (a, other, b)), (1, (foreign, b, c)))), "pauses"  # sent again through another
    yield Plan(((1, (a, a, b)), (2, (foreign,)))), False                               # twice in one call
    yield Plan(((1, (c, foreign)), (2, (b,)), (1, (a,)))), True                        # the last one came first
    yield Plan(((1, (b, other)), (2, (a, b)), (1, (a, b, c)), (2, (b, a)))), False
    five = [a, b, c, new("shop-1"), new("shop-1")]
    yield Plan(((1, tuple(five)), *((2, (each,)) for each in five))), False            # each of the last five again
    yield from ((each, False) for each in overtaken(Plan(((1, (a, b)), (2, (a, b, c)))), "agent-1", "agent-2", 4))


def read_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    new = Producers(rng).next
    first = (new("shop-1", least=3), new("shop-2"), new("shop-1"))
    flushes = ((1, first), (2, (new("shop-3"), new("shop-3", "clicks"))))
    reads = (("orders", 0), ("orders", rng.randrange(1, 3)), ("clicks", 0), ("orders", 4), ("orders", 40))
    plan = Plan(flushes, reads)
    yield plan, False
    for step in range(1, 8):
        yield replace(plan, switches=((step, "reader"),)), False
        for done in (1, 2, 3):
            yield replace(plan, switches=((step, "reader"), (step + done, "agent-2"))), False
    for number in range(1, 15):
        yield replace(plan, losses=((number, "answer lost"),)), False


def collect_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    new = Producers(rng).next
    a, b, c = new("shop-1"), new("shop-2"), new("shop-3")
    plan = Plan(((1, (a, b)), (2, (a, b)), (1, (c,))), (("orders", 0),), collects=1)
    yield plan, True
    yield from ((each, False) for each in overtaken(plan, "agent-1", "collector", 4))
    for step in range(1, 5):
        yield replace(plan, switches=((step, "collector"),), collects=2), False
    again = Plan(((1, (a,)), (2, (b, a))), (("orders", 0),), collects=3)
    yield again, "pauses"
    for step in range(1, 5):
        yield replace(again, switches=((step, "collector"), (step + rng.randrange(2, 6), "agent-2"))), False
    for loss in LOSSES:
        for number in range(1, 6):
            yield replace(plan, losses=((number, loss),)), False


def storm_plans(rng) -> Iterator[tuple[Plan, bool | str]]:
    for _ in range(40):
        made = Producers(rng).some(6)
        flushes = [(rng.randrange(1, 4), tuple(made[n:n + 2])) for n in (0, 2, 4)]
        flushes += [(rng.randrange(1, 4), tuple(sorted(rng.sample(made, 2), key=made.index)))]
        names = ("agent-1", "agent-2", "agent-3", "reader", "collector")
        steps = sorted(rng.sample(range(2, 24), rng.choice((2, 3, 4))))
        crashes = (rng.randrange(1, 6), *rng.sample(range(6, 24), rng.choice((0, 1))))
        losses = [(number, rng.choice(LOSSES)) for number in rng.sample(range(1, 10), rng.choice((0, 1)))]
        yield Plan(tuple(flushes), tuple((each, 0) for each in PARTITIONS), 2,
                   tuple(zip(steps, rng.choices(names, k=4))), crashes,
                   tuple(rng.sample(range(6, 20), rng.choice((0, 1)))), tuple(losses)), False


CHECKS = {
    "commit": Check(("flush", "read"), commit_plans, rules.RULES),
    "race": Check(("flush", "read"), race_plans, rules.RULES),
    "sequence": Check(("flush", "read"), sequence_plans, rules.RULES),
    "reading": Check(("flush", "read"), read_plans, rules.RULES),
    "collect": Check(("flush", "read", "collect"), collect_plans, rules.RULES),
    "storm": Check(("flush", "read", "collect"), storm_plans, rules.RULES),
}


def fewer(plan: Plan) -> Iterator[Plan]:
    """The same plan with one fault, one call or one batch less, in every way."""
    yield from without_one(plan, ("crashes", "pauses", "losses", "switches", "reads"))
    if plan.collects > 1:
        yield replace(plan, collects=plan.collects - 1)
    if len(plan.flushes) > 1:
        yield from without_one(plan, ("flushes",))
    lasts = {(batch.producer, batch.partition): batch for batch in plan.batches}
    for last in lasts.values() if len(plan.batches) > 1 else ():
        flushes = ((agent, tuple(each for each in batches if each != last)) for agent, batches in plan.flushes)
        yield replace(plan, flushes=tuple((agent, batches) for agent, batches in flushes if batches))


def plan_of(run: Run) -> Plan:
    """The plan of a recorded run."""
    pairs = {kind: tuple(map(tuple, run.plan[kind])) for kind in ("reads", "switches", "losses")}
    steps = {kind: tuple(run.plan[kind]) for kind in ("crashes", "pauses")}
    flushes = tuple((agent, tuple(Produced(*each[:3], tuple(each[3])) for each in batches))
                    for agent, batches in run.plan["flushes"])
    return Plan(**{**run.plan, **pairs, **steps, "flushes": flushes})


EXERCISE = Exercise(CHECKS, rules, perform, Run, plan_of, fewer)
attack, finding, verdict, judge = EXERCISE.attack, EXERCISE.finding, EXERCISE.verdict, EXERCISE.judge
shrunk, attacked = EXERCISE.shrunk, EXERCISE.attacked


def commit(flush, read, *, seeds=PUBLIC, record=None) -> Verdict:
    """What is acknowledged is there, wherever an agent dies and whatever the store does not answer."""
    return attacked("commit", seeds, record, flush=flush, read=read)


def race(flush, read, *, seeds=PUBLIC, record=None) -> Verdict:
    """Agents that commit at the same time lose nothing of each other's."""
    return attacked("race", seeds, record, flush=flush, read=read)


def sequence(flush, read, *, seeds=PUBLIC, record=None) -> Verdict:
    """A batch stands in the log once and in its place, through however many agents it came."""
    return attacked("sequence", seeds, record, flush=flush, read=read)


def reading(flush, read, *, seeds=PUBLIC, record=None) -> Verdict:
    """A reader sees what is committed, all of it and nothing else, whenever it looks."""
    return attacked("reading", seeds, record, flush=flush, read=read)


def collect(flush, read, collect, *, seeds=PUBLIC, record=None) -> Verdict:
    """What nobody needs goes, and nothing that anybody is about to need."""
    return attacked("collect", seeds, record, flush=flush, read=read, collect=collect)


def storm(flush, read, collect, *, seeds=PUBLIC, record=None) -> Verdict:
    """All of it at once, at random."""
    return attacked("storm", seeds, record, flush=flush, read=read, collect=collect)
