"""The stage: a function of the learner's is asked about one topology; for a repair, each zone is lost in turn.

`perform(plan, functions)` asks once and returns the answer as plain data. Whatever has to be counted, simulated or
compared is the rules' business, in whichever process they judge.
"""
from copy import deepcopy
from dataclasses import asdict, dataclass

from exercises.attack import Clock, Process
from exercises.attack.runs import Evidence, plain

from .tariffs import Tariff
from .topology import Topology

REPAIRS = ("read_nearer", "lead_nearer")


@dataclass(frozen=True)
class Plan:
    """One question: the function that is asked, the topology, the tariff of a bill, and the zone that is lost.

    `crashes` holds the number of a zone, from 1, all of whose brokers lose their power.
    """
    program: str
    topology: Topology
    tariff: Tariff | None = None
    crashes: tuple[int, ...] = ()


@dataclass
class Run(Evidence):
    """What was answered."""
    answer: object


def perform(plan: Plan, functions: dict) -> Run:
    """Ask, and lose a zone if the plan says so."""
    clock = Clock()
    for line in plan.topology.lines():
        clock.note("the topology", line)
    learner = Process("you", clock, ":memory:", functions)
    learner.arguments = lambda name, args: args  # no database here
    given = (plan.topology, plan.tariff) if plan.tariff else (plan.topology,)
    call = learner.call(plan.program, *deepcopy(given), about=plan.tariff.name if plan.tariff else "the topology")
    learner.stop()
    answer = as_plain(learner.returned) if call["outcome"] == "ok" else None
    changed(clock, plan.topology, answer)
    zones = plan.topology.zones if plan.program in REPAIRS else []
    for number in plan.crashes:
        clock.fault(f"zone {zones[number - 1]}", "crash", zone=zones[number - 1])
    return Run(plain(asdict(plan)), len(zones), plain(clock.events), answer)


def as_plain(answer):
    """An answer as JSON can hold it: a topology as a dictionary, crossings as rows, anything odd in words."""
    if isinstance(answer, dict):
        return [plain([*(way if isinstance(way, tuple) else (way,)), rate]) for way, rate in answer.items()]
    try:
        return plain(answer.plain() if isinstance(answer, Topology) else answer)
    except (TypeError, AttributeError):
        return repr(answer)


def changed(clock: Clock, before: Topology, answer) -> None:
    """Notes what a repair changed."""
    if not isinstance(answer, dict):
        return
    try:
        after = Topology.of(answer).lines()
    except (KeyError, TypeError, ValueError):
        return
    for line in after:
        if line not in before.lines():
            clock.note("you", f"changed: {line}")
