"""The checks of the exercise: what each one asks, and by which rules it judges the answer.

In a notebook, `check.crossings(crossings)` asks and shows the verdict. A grader passes seeds nobody has seen and a file
to record into, and judges that record in its own process with `judge`.
"""
from collections.abc import Iterator
from dataclasses import replace

from exercises.attack import Verdict
from exercises.attack.checks import PUBLIC, Check, Exercise

from . import rules
from .questions import misled, misread, some_topology
from .stage import REPAIRS, Plan, Run, perform
from .tariffs import TARIFFS, Tariff
from .topology import Topology


def crossings_plans(rng) -> Iterator[tuple[Plan, bool]]:
    for zones, nearest in (("abc", False), ("abc", True), ("abcd", False), ("abcd", True)):
        yield Plan("crossings", some_topology(rng, zones, nearest)), False


def meters_plans(rng) -> Iterator[tuple[Plan, bool]]:
    found = []
    while not any(map(doubled, found)):  # some mistakes need two followers in one zone
        found = [some_topology(rng, "abcd", nearest) for nearest in (False, True) * 3]
    for topology in found:
        yield Plan("crossings", topology), False


def doubled(topology: Topology) -> bool:
    """Whether a partition has two followers in one zone, and its leader in another."""
    held = [[topology.brokers[broker] for broker in replicas] for replicas in topology.partitions.values()]
    return any(zones.count(zone) > 1 and zone != zones[0] for zones in held for zone in zones)


def bill_plans(rng) -> Iterator[tuple[Plan, bool]]:
    yours = Tariff("your contract", rng.randrange(3, 9) / 1000, rng.randrange(10, 15) / 1000, rng.random() < 0.5)
    for tariff in (*TARIFFS, yours):
        yield Plan("dollars", some_topology(rng, "abc", rng.random() < 0.5), tariff), False


def read_plans(rng) -> Iterator[tuple[Plan, bool]]:
    yield Plan("read_nearer", misread(rng)), True


def lead_plans(rng) -> Iterator[tuple[Plan, bool]]:
    yield Plan("lead_nearer", misled(rng)), True


def least_plans(rng) -> Iterator[tuple[Plan, bool]]:
    for zones, farther in (("abc", ""), ("abcd", ""), ("abc", "d")):
        yield Plan("least", some_topology(rng, zones, False, farther)), False


COUNTED = (rules.error, rules.no_crossings, rules.inside, rules.mirrored, rules.miscounted)
REPAIRED = (rules.error, rules.no_topology, rules.touched, rules.unread, rules.thinner, rules.overloaded, rules.lost,
            rules.refusing, rules.unreachable, rules.too_dear)
CHECKS = {
    "crossings": Check(("crossings",), crossings_plans, COUNTED),
    "meters": Check(("crossings",), meters_plans, (rules.error, rules.no_crossings, rules.mismeasured)),
    "bill": Check(("dollars",), bill_plans, (rules.error, rules.mischarged)),
    "read": Check(("read_nearer",), read_plans, REPAIRED),
    "lead": Check(("lead_nearer",), lead_plans, REPAIRED),
    "least": Check(("least",), least_plans, (rules.error, rules.no_number, rules.impossible, rules.wasteful)),
}


def fewer(plan: Plan) -> Iterator[Plan]:
    """The same question without a partition, a client or an idle broker. Repairs are asked about all or nothing."""
    if plan.program in REPAIRS:
        return
    topology = plan.topology
    yield from (replace(plan, topology=each) for each in smaller(topology)
                if all(map(each.written, each.partitions)) and (plan.program != "least" or len(each.zones) >= 3))
    if topology.nearest:
        yield replace(plan, topology=replace(topology, nearest=False))


def smaller(topology: Topology) -> Iterator[Topology]:
    """The same topology without one of its parts, in every way."""
    for name in topology.partitions if len(topology.partitions) > 1 else ():
        yield without_partition(topology, name)
    used = {broker for replicas in topology.partitions.values() for broker in replicas}
    for broker in sorted(topology.brokers.keys() - used):
        yield replace(topology, brokers={name: zone for name, zone in topology.brokers.items() if name != broker})
    for kind in ("producers", "consumers"):
        for each in getattr(topology, kind):
            yield replace(topology, **{kind: tuple(other for other in getattr(topology, kind) if other != each)})
    for producer in topology.producers:
        for name in producer.writes if len(producer.writes) > 1 else ():
            writes = {other: rate for other, rate in producer.writes.items() if other != name}
            yield replace(topology, producers=tuple(replace(each, writes=writes) if each == producer else each
                                                    for each in topology.producers))


def without_partition(topology: Topology, name: str) -> Topology:
    """The topology without a partition, and without whom only that one concerned."""
    producers = (replace(each, writes={other: rate for other, rate in each.writes.items() if other != name})
                 for each in topology.producers)
    consumers = (replace(each, reads=tuple(other for other in each.reads if other != name))
                 for each in topology.consumers)
    return replace(topology, partitions={other: held for other, held in topology.partitions.items() if other != name},
                   producers=tuple(each for each in producers if each.writes),
                   consumers=tuple(each for each in consumers if each.reads))


def plan_of(run: Run) -> Plan:
    """The plan of a recorded run."""
    tariff = run.plan["tariff"]
    return Plan(run.plan["program"], Topology.of(run.plan["topology"]), tariff and Tariff(**tariff),
                tuple(run.plan["crashes"]))


EXERCISE = Exercise(CHECKS, rules, perform, Run, plan_of, fewer)
attack, finding, verdict, judge = EXERCISE.attack, EXERCISE.finding, EXERCISE.verdict, EXERCISE.judge
shrunk, attacked = EXERCISE.shrunk, EXERCISE.attacked


def crossings(crossings, *, seeds=PUBLIC, record=None) -> Verdict:
    """Every byte between zones is counted, by its kind and its direction, and none that stays."""
    return attacked("crossings", seeds, record, crossings=crossings)


def meters(crossings, *, seeds=PUBLIC, record=None) -> Verdict:
    """The meters of a simulated cluster agree."""
    return attacked("meters", seeds, record, crossings=crossings)


def bill(dollars, *, seeds=PUBLIC, record=None) -> Verdict:
    """A month of it, under tariffs that charge one direction, both, or none."""
    return attacked("bill", seeds, record, dollars=dollars)


def read(read_nearer, *, seeds=PUBLIC, record=None) -> Verdict:
    """Consumers that read elsewhere halve the bill, and a zone may still be lost."""
    return attacked("read", seeds, record, read_nearer=read_nearer)


def lead(lead_nearer, *, seeds=PUBLIC, record=None) -> Verdict:
    """Leaders that stand elsewhere halve the bill, and a zone may still be lost."""
    return attacked("lead", seeds, record, lead_nearer=lead_nearer)


def least(least, *, seeds=PUBLIC, record=None) -> Verdict:
    """What must cross is known exactly: not less, because a zone may be lost, and not more."""
    return attacked("least", seeds, record, least=least)
