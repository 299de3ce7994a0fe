"""The stage: one consumer, two partitions, one SQLite file and a plan; or, for settings, just a question and an answer.

`perform(plan, functions)` plays one run and returns what could be seen of it. A plan names the program it attacks:

    size      asked about a `Load`: how many members, and how many records a poll
    settings  asked about a `Deployment`: protocol, names for members, session timeout
    consume   records from a log; some fail for a while, some for ever, some kill the process
"""
from dataclasses import dataclass

from exercises.attack import Clock, Process
from exercises.attack.runs import Evidence, plain
from exercises.attack.sqlite import made
from exercises.attack.steps import Crash, played

from .groups import Deployment, Load
from .log import DeadLetters, Downstream, Record, World

SCHEMA = """
CREATE TABLE tries (partition INTEGER, offset INTEGER, count INTEGER NOT NULL, PRIMARY KEY (partition, offset));
"""
BATCH, ROUNDS = 3, 40  # records of a partition taken at a time; rounds after which a run is over in any case


@dataclass(frozen=True)
class Plan:
    """One question, or one attack: the log as (offset, id) pairs for each partition, and where the faults strike.

    `crashes` are step numbers; `hiccups` pairs ids with how often they fail; `poison` fails and `killers` kill for
    ever; `losses` pairs the number of a dead letter with "letter lost" or "confirmation lost". `seed` is the
    simulation's.
    """
    program: str = "consume"
    load: Load | None = None
    deployment: Deployment | None = None
    seed: int = 0
    log: tuple[tuple[tuple[int, str], ...], ...] = ()
    crashes: tuple[int, ...] = ()
    hiccups: tuple[tuple[str, int], ...] = ()
    poison: tuple[str, ...] = ()
    killers: tuple[str, ...] = ()
    losses: tuple[tuple[int, str], ...] = ()


@dataclass
class Run(Evidence):
    """What the answer was, what took effect or became a letter, how often each was tried, and where the group is."""
    answer: object
    applied: list
    letters: list
    tried: dict
    next: list


def perform(plan: Plan, functions: dict) -> Run:
    """Play one run to the end: the question answered, or records, faults, and then quiet until everything is read."""
    return played(Stage, plan, functions)


class Consumer(Process):
    """The one consumer of the group."""

    def arguments(self, name: str, args: tuple) -> tuple:
        return (self.db, *args) if name == "consume" else args

    def die(self, record: str) -> None:
        """The service takes the whole process down."""
        self.dead = True
        self.clock.fault(self.name, "killed", record=record)
        raise Crash


class Stage:
    """One run in progress."""

    def __init__(self, plan: Plan, functions: dict, folder):
        self.plan, self.clock, self.answer, self.position = plan, Clock(plan.crashes), None, {}
        self.world, database = World(plan, self.clock), str(folder / "consumer.db")
        made(database, SCHEMA)
        self.consumer = Consumer("consumer", self.clock, database, functions)
        self.processes = [self.consumer]

    def play(self) -> None:
        """Ask; or read until nothing is left, restart, and read again whatever was not committed."""
        if self.plan.program != "consume":
            question = self.plan.load or self.plan.deployment
            self.consumer.call(self.plan.program, question, about="")
            self.answer = self.consumer.returned
            return
        self.settle()
        self.position.clear()
        self.consumer.stop()
        self.consumer.start()
        self.settle()

    def settle(self) -> None:
        """Rounds of reading until everything was taken."""
        for _ in range(ROUNDS):
            batches = [batch for batch in map(self.batch, range(len(self.plan.log))) if batch]
            if not batches:
                return
            for batch in batches:
                self.consume(batch)

    def batch(self, partition: int) -> list[Record]:
        """The next records of a partition, from where this consumer is or, if it just started, from the last commit."""
        start = self.position.setdefault(partition, self.world.committed[partition])
        log = [(offset, id) for offset, id in self.plan.log[partition] if offset >= start]
        return [Record(partition, offset, id, self.world, self.consumer) for offset, id in log[:BATCH]]

    def consume(self, batch: list[Record]) -> None:
        """One call; if it raises or dies, the consumer starts again at its commits, else it reads on behind."""
        last = batch[-1]
        arguments = batch, Downstream(self.world, self.consumer), DeadLetters(self.world, self.consumer)
        call = self.consumer.call("consume", *arguments, about=f"{batch[0].id} to {last.id}")
        if call["outcome"] == "ok":
            self.position[last.partition] = last.offset + 1
        else:
            self.position.clear()

    def seen(self) -> Run:
        """The evidence: what happened and what is left."""
        world = self.world
        return Run.of(self.plan, self.clock, answer=plain(self.answer), applied=world.applied, letters=world.letters,
                      tried=world.tried, next=world.committed)
