"""The stage on which a log performs: an object store, agents without a disk, a reader, a collector, and a plan.

`perform(plan, functions)` plays one run and returns what could be seen of it: every step, what was acknowledged, what
readers were told, and what is in the store once everything is quiet. Whenever nobody has anything left to do, the
producers send what was not acknowledged to another agent. Those who sleep wake up when that is done too.
"""
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from exercises.attack import Clock, Endless
from exercises.attack.runs import Evidence, plain
from exercises.attack.steps import MOST_STEPS
from exercises.attack.turns import Cast, Worker

from .store import Bucket, Store

ROUNDS, FILES = 16, "files/"  # times that producers send again: a fault costs one, and plans have four at most


class Produced(NamedTuple):
    """Consecutive records of one producer for one partition. The sequence is that of the first, counted from 0."""
    producer: str
    partition: str
    sequence: int
    records: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.partition}.{self.producer}.{self.sequence}" + f"-{self.last}" * (len(self.records) > 1)

    @property
    def last(self) -> int:
        """The sequence of its last record."""
        return self.sequence + len(self.records) - 1


def produced(producer: str, partition: str, sequence: int, count: int = 1) -> Produced:
    """A batch whose records say where they belong."""
    numbers = range(sequence, sequence + count)
    return Produced(producer, partition, sequence, tuple(f"{partition}.{producer}.{n}" for n in numbers))


@dataclass(frozen=True)
class Plan:
    """One attack: which agent is handed which batches at once, who reads and collects, and where the faults strike.

    `reads` are (partition, offset). `switches` are (step, who has the next turn), `pauses` and `crashes` are steps, and
    `losses` are (number of a request to the store, what happens to it).
    """
    flushes: tuple[tuple[int, tuple[Produced, ...]], ...]
    reads: tuple[tuple[str, int], ...] = ()
    collects: int = 0
    switches: tuple[tuple[int, str], ...] = ()
    crashes: tuple[int, ...] = ()
    pauses: tuple[int, ...] = ()
    losses: tuple[tuple[int, str], ...] = ()

    @property
    def batches(self) -> list[Produced]:
        """Everything that is sent, each batch once, a producer's in the order of their sequences."""
        sent = dict.fromkeys(batch for _, batches in self.flushes for batch in batches)
        return sorted(sent, key=lambda batch: (batch.producer, batch.partition, batch.sequence))

    @property
    def partitions(self) -> list[str]:
        return sorted({batch.partition for batch in self.batches})


@dataclass
class Run(Evidence):
    """What was acknowledged and read, the log in the end, and files that are left or have grown."""
    acks: list
    reads: list
    log: dict
    left: list
    swollen: list


def perform(plan: Plan, functions: dict) -> Run:
    """Play one run to the end: all faults, and then quiet until nobody has anything left to do."""
    stage = Stage(plan, functions)
    stage.play()
    return stage.seen()


class Batch:
    """A batch as an agent holds it: its producer waits for `ack(offset)`, and sends it again if that does not come."""

    def __init__(self, batch: Produced, agent: "Actor"):
        self.producer, self.partition, self.sequence, self.records = batch
        self._batch, self._agent = batch, agent

    def ack(self, offset: int) -> None:
        """Tell the producer that its records are safe, the first of them at this offset."""
        if type(offset) is not int:
            raise TypeError(f"ack takes the offset of the first record, not {offset!r}")
        self._agent.step(f"ack {self._batch} at {offset}")["peer"] = self.producer
        self._agent.stage.acked(self._batch, offset)

    def __repr__(self) -> str:
        return f"Batch({self._batch})"


class Actor(Worker):
    """An agent, the reader or the collector; `counted` says whether its steps are numbered and attacked."""
    counted = True

    def __init__(self, name: str, stage: "Stage", functions: dict):
        self.stage, self.flushed = stage, 0
        super().__init__(name, stage.cast, functions)
        self.store = Store(stage.bucket, self)

    def arguments(self, name: str, args: tuple) -> tuple:
        return (self.store, *args)

    def flush(self, batches: tuple[Produced, ...]) -> None:
        """Hand over some batches, with a name that no other call will have."""
        self.flushed += 1
        name = f"{self.name}-{self.flushed}"
        given = [Batch(batch, self) for batch in batches]
        self.call("flush", name, given, about=f"{name}: {', '.join(map(str, batches))}")

    def read(self, partition: str, offset: int) -> None:
        """Read a partition from an offset on, and keep what was told."""
        begun = len(self.clock.events)
        call = self.call("read", partition, offset, about=f"{partition}, {offset}")
        self.stage.reads.append({"who": self.name, "partition": partition, "offset": offset, "begun": begun,
                                 "outcome": call["outcome"], "returned": self.returned})

    def collect(self) -> None:
        self.call("collect")


class Auditor(Actor):
    """Somebody who looks when all is over: nothing ever happens to its requests."""
    counted = False

    def step(self, what: str) -> dict:
        self.taken += 1
        if self.taken > MOST_STEPS:
            self.dead = True
            raise Endless
        return {}


class Stage:
    """One run in progress."""

    def __init__(self, plan: Plan, functions: dict):
        self.plan, self.clock = plan, Clock(plan.crashes)
        self.bucket, self.cast = Bucket(self.clock, plan.losses), Cast(self.clock, plan.switches, plan.pauses)
        self.acks: list[tuple[Produced, int, int]] = []
        self.reads: list[dict] = []
        number = max([2, *(agent for agent, _ in plan.flushes)])
        names = [f"agent-{n + 1}" for n in range(number)]
        self.cast.workers = {name: Actor(name, self, functions) for name in (*names, "reader", "collector")}
        self.agents = [self.cast.workers[name] for name in names]
        self.reader, self.collector = self.cast.workers["reader"], self.cast.workers["collector"]
        self.auditor = Auditor("auditor", self, functions)

    def play(self) -> None:
        """What the plan says, then whatever it takes until all is quiet."""
        for number, batches in self.plan.flushes:
            agent = self.agents[number - 1]
            agent.calls.append(partial(agent.flush, batches))
        self.reader.calls.extend(partial(self.reader.read, *each) for each in self.plan.reads)
        self.collector.calls.extend([self.collector.collect] * self.plan.collects)
        rounds = iter(range(ROUNDS))
        self.settle(rounds)
        self.bucket.arrive()
        for _ in range(2 + len(self.plan.crashes) + len(self.plan.losses) if self.plan.collects else 0):
            self.collector.calls.append(self.collector.collect)
            self.settle(rounds)

    def settle(self, rounds: Iterator[int]) -> None:
        """Until nobody has anything left to do, no producer waits, and nobody sleeps."""
        self.cast.work()
        while self.sent_again(rounds) or self.cast.wake():
            self.cast.work()

    def sent_again(self, rounds: Iterator[int]) -> bool:
        """Whether producers sent what was not acknowledged to the next agent who is awake."""
        acked = {batch for batch, *_ in self.acks}
        waiting = tuple(batch for batch in self.plan.batches if batch not in acked)
        awake = [agent for agent in self.agents if not agent.asleep]
        number = next(rounds, None) if waiting and awake else None
        if number is not None:
            agent = awake[(number + 1) % len(awake)]
            agent.calls.append(partial(agent.flush, waiting))
        return number is not None

    def acked(self, batch: Produced, offset: int) -> None:
        self.acks.append((batch, offset, len(self.clock.events)))

    def audit(self) -> dict:
        """The whole log, as anybody reads it who comes when all is over."""
        begun = len(self.reads)
        for partition in self.plan.partitions:
            self.auditor.read(partition, 0)
        return {read["partition"]: read["returned"] for read in self.reads[begun:]}

    def unneeded(self, log: dict) -> list[str]:
        """The files without which the log reads the same."""
        return [key for key in sorted(self.bucket.objects) if key.startswith(FILES) and self.without(key) == log]

    def without(self, key: str) -> dict:
        """The log as it reads without an object; nobody needs to know that somebody looked."""
        events, reads, text = len(self.clock.events), len(self.reads), self.bucket.objects.pop(key)
        try:
            return self.audit()
        finally:
            self.bucket.objects[key] = text
            del self.clock.events[events:], self.reads[reads:]

    def seen(self) -> Run:
        """The evidence: what happened, what was acknowledged, what was read, and what is left."""
        self.clock.note("auditor", "all is quiet, and somebody reads the whole log")
        log = self.audit()
        swollen = [key for key, text in self.bucket.objects.items() if not key.startswith(FILES)
                   and any(record in text for batch in self.plan.batches for record in batch.records)]
        acks = [[*batch[:3], offset, place] for batch, offset, place in self.acks]
        return Run.of(self.plan, self.clock, acks=plain(acks), reads=plain(self.reads), log=plain(log),
                      left=self.unneeded(log) if self.plan.collects else [], swollen=swollen)
