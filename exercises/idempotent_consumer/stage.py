"""The stage on which a consumer performs: a log, a group of two consumers, one SQLite file, a gateway, and a plan.

`perform(plan, functions)` plays one run and returns what could be seen of it: every step, the balances, the gateway's
charges, and where the group would go on reading once everything is quiet again. A plan names the program it attacks:

    handle   balances in the database, offsets at the broker; with `forget` called after each record if it has a horizon
    apply    balances and offsets in the database: `start` says where to read on
    pay      charges at the gateway, offsets at the broker
"""
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from exercises.attack import Clock
from exercises.attack.runs import Evidence, plain
from exercises.attack.sqlite import locked, made, rows
from exercises.attack.steps import Pausable, played

from .log import Event, Gateway, Group, Line, Record

SCHEMA = """
CREATE TABLE accounts (account TEXT PRIMARY KEY, balance INTEGER NOT NULL);
CREATE TABLE seen (event_id TEXT PRIMARY KEY, partition INTEGER, offset INTEGER);
CREATE TABLE offsets (partition INTEGER PRIMARY KEY, next INTEGER NOT NULL);
"""
MEMBERS = ("consumer-1", "consumer-2")
BATCH, ROUNDS = 2, 30  # records of a partition taken at a time; rounds after which a run is over in any case


@dataclass(frozen=True)
class Plan:
    """One attack: the log, the program, and where the faults strike.

    `crashes` and `pauses` are step numbers; `locked` are numbers of calls during which somebody else writes to the
    database; `losses` pairs the number of a charge with "request lost" or "answer lost"; `rewind` sets the committed
    offsets back by so many records once all is quiet.
    """
    log: tuple[tuple[tuple[int, Event], ...], ...]
    program: str = "handle"
    crashes: tuple[int, ...] = ()
    pauses: tuple[int, ...] = ()
    locked: tuple[int, ...] = ()
    losses: tuple[tuple[int, str], ...] = ()
    rewind: int = 0
    horizon: int = 0


@dataclass
class Run(Evidence):
    """The balances, charges and offsets in the end, and how much is kept."""
    balances: dict
    charges: list
    next: list
    kept: int


def perform(plan: Plan, functions: dict) -> Run:
    """Play one run to the end: records, faults, and then quiet until everything is read."""
    return played(Stage, plan, functions)


class Member(Pausable):
    """A consumer of the group. A plan may stop it before a step for so long that the other one replaces it."""

    def __init__(self, name: str, stage: "Stage", functions: dict):
        self.stage, self.position, self.busy = stage, {}, False
        super().__init__(name, stage.clock, stage.database, functions)

    def called(self, name: str, *args, about: str = "") -> bool:
        """Call a function; whether it returned. Somebody else may hold the database meanwhile."""
        self.busy = True
        with self.stage.database_for(name):
            call = self.call(name, *args, about=about)
        self.busy = False
        if call["outcome"] == "info":
            self.stage.leave(self)
        elif name == "start" and call["outcome"] == "ok" and type(self.returned) is not int:
            call.update(outcome="fail", error="TypeError", message=f"it returned {self.returned!r}, not an offset")
        return call["outcome"] == "ok"


class Stage:
    """One run in progress."""

    def __init__(self, plan: Plan, functions: dict, folder: Path):
        self.plan, self.functions, self.database = plan, functions, str(folder / "consumer.db")
        self.clock, self.group = Clock(plan.crashes), Group(plan.log, MEMBERS)
        self.gateway, self.pauses, self.calls = Gateway(self.clock, plan.losses), set(plan.pauses), 0
        made(self.database, SCHEMA, [("INSERT INTO accounts VALUES (?, 0)", (who,)) for who in accounts(plan)])
        self.members = {name: Member(name, self, functions) for name in MEMBERS}
        self.processes = self.members.values()

    def play(self) -> None:
        """Read until nothing is left; then perhaps set the offsets back, restart both consumers and read again."""
        self.settle()
        if self.plan.rewind:
            self.group.rewind(self.plan.rewind)
            self.clock.fault("the group", "rewind", records=self.plan.rewind)
            self.restart()
            self.settle()
        self.restart()

    def settle(self) -> None:
        """Rounds of reading until everything was handled."""
        for _ in range(ROUNDS):
            if all(self.members[owner].position.get(partition, -1) >= self.group.end(partition)
                   for partition, owner in self.group.owner.items()):
                return
            for member in self.members.values():
                self.poll(member)

    def restart(self) -> None:
        for member in self.members.values():
            member.stop()
            member.start()
            member.position.clear()

    def poll(self, member: Member) -> None:
        """The member handles a batch of each of its partitions; after a failure it starts at the stored offset."""
        for partition in self.group.owned(member.name):
            for record in self.batch(member, partition):
                if not self.handled(member, record):
                    member.position.clear()
                    return
                if record.generation == self.group.generation[partition]:  # else it reads with an old assignment
                    member.position[partition] = record.offset + 1

    def batch(self, member: Member, partition: int) -> list[Record]:
        """The next records for a member. It keeps them even if somebody else gets the partition meanwhile."""
        if partition not in member.position:
            member.position[partition] = self.begin(member, partition)
        records = (Record(partition, offset, event, self.group, member) for offset, event in self.plan.log[partition]
                   if offset >= member.position[partition])
        return list(records)[:BATCH]

    def begin(self, member: Member, partition: int) -> int:
        """Where a consumer that just got the partition begins to read."""
        if self.plan.program != "apply":
            return self.group.committed[partition]
        returned = member.called("start", partition, about=f"partition {partition}")
        return max(0, member.returned) if returned else 0

    def handled(self, member: Member, record: Record) -> bool:
        """Whether the program handled a record without raising or dying."""
        line = [Line(self.gateway, record.event, member)] if self.plan.program == "pay" else []
        if not member.called(self.plan.program, *line, record, about=f"{record.event.id} at {record.offset}"):
            return False
        return not self.plan.horizon or member.called("forget", record, self.plan.horizon, about=str(record.offset))

    def pause(self, member: Member, before: str) -> None:
        """Stop a member in the middle of its call while the other one takes its partitions and reads on."""
        with member.asleep(before):
            other = self.leave(member)
            for _ in range(0 if other.busy else len(self.plan.log[0])):
                self.poll(other)

    def leave(self, member: Member) -> Member:
        """The other member, which now has everything this one had."""
        other = self.members[self.group.hand_over(member.name)]
        member.position.clear()
        other.position.clear()
        return other

    def database_for(self, name: str) -> AbstractContextManager:
        """The database as a call finds it: free, or locked by somebody else's write."""
        self.calls += name == self.plan.program
        if name != self.plan.program or self.calls not in self.plan.locked:
            return nullcontext()
        self.clock.fault("somebody else", "locked")
        return locked(self.database)

    def seen(self) -> Run:
        """The evidence: what happened and what is left."""
        following = [self.begin(self.members[owner], partition) for partition, owner in self.group.owner.items()]
        return Run.of(
            self.plan, self.clock, balances=dict(rows(self.database, "SELECT account, balance FROM accounts")),
            charges=plain(self.gateway.charges), next=following, kept=kept(self.database))


def accounts(plan: Plan) -> list[str]:
    return list(dict.fromkeys(event.account for log in plan.log for _, event in log))


def kept(database: str) -> int:
    """Rows kept to recognise events by, wherever the program keeps them."""
    tables = [name for (name,) in rows(database, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    counted = [name for name in tables if name not in ("accounts", "offsets") and not name.startswith("sqlite_")]
    return sum(rows(database, f'SELECT COUNT(*) FROM "{name}"')[0][0] for name in counted)
