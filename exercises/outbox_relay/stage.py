"""The stage: a relay, or two, an outbox, a broker and a plan. `perform(plan, functions)` plays one run of one program:

    poll      looks at a table that only grows, wherever the schedule says so, and keeps a cursor
    relay     two of them claim, publish and mark rows, while more are committed
    cleanup   deletes rows, while a shop writes and a relay marks
    follow    reads the log of commits, publishes and confirms
"""
import json
from dataclasses import asdict, dataclass

from exercises.attack import Clock, Process
from exercises.attack.runs import Evidence, plain
from exercises.attack.steps import Crash
from exercises.attack.visibility import LOOK

from .broker import Broker, Link
from .table import Database, Look, Row, Session, Table
from .wal import Change, Slot, Stream

LEASE, KEEP = 30, 60   # seconds for which a claim may reasonably last, and for which a published row is kept
ROUNDS, BREAK, STEP = 12, 10, .1  # rounds after which a run is over in any case; seconds between two, and for a step


@dataclass(frozen=True)
class Plan:
    """One attack.

    `schedule` holds words like AS: transaction A draws its position (`attack/visibility.py` has the letters), `relayP`
    is a look; `aggregates` says whose the transactions are, `first` at which position and xid the counting begins.
    `rows` are committed in this order, those of `late` as (step, row) just before a step. `log` is the log of commits,
    `old` its rows that were published long ago. `crashes` and `pauses` are step numbers, `seconds` the length of a
    pause; `losses` pairs the number of a publish with "event lost" or "confirmation lost".
    """
    program: str
    schedule: str = ""
    aggregates: tuple[tuple[str, str], ...] = ()
    first: tuple[int, int] = (1, 1)
    rows: tuple[Row, ...] = ()
    late: tuple[tuple[int, Row], ...] = ()
    log: tuple[tuple[Change, ...], ...] = ()
    old: tuple[str, ...] = ()
    crashes: tuple[int, ...] = ()
    pauses: tuple[int, ...] = ()
    seconds: float = 0
    losses: tuple[tuple[int, str], ...] = ()


@dataclass
class Run(Evidence):
    """What the database and the broker hold in the end.

    `rows` are the committed ones as [id, position, aggregate, version, xid], `published` the broker's log as
    [name, id], `done` the ids that nobody will publish any more, `kept` the size of what is kept in the end.
    """
    rows: list
    published: list
    done: list
    kept: int


def perform(plan: Plan, functions: dict) -> Run:
    """Play one run to the end: faults, and then quiet for long enough."""
    stage = {"poll": Polled, "relay": Relayed, "cleanup": Cleaned, "follow": Followed}[plan.program](plan, functions)
    stage.play()
    return Run(plan=plain(asdict(plan)), steps=stage.clock.steps, events=stage.clock.events, **stage.seen())


def facts(row: Row) -> list:
    """A row as evidence."""
    return [row.id, row.position, row.aggregate, row.version, row.xid]


class Worker(Process):
    """A process of the learner's, with a memory and no files. A plan may stop it before a step for some seconds."""

    def __init__(self, name: str, stage: "Stage"):
        self.stage, self.busy = stage, False
        super().__init__(name, stage.clock, "", stage.functions)

    def arguments(self, name: str, args: tuple) -> tuple:
        return args

    def step(self, what: str) -> dict:
        self.breathe()
        if self.clock.steps + 1 in self.stage.pauses:
            self.stage.pauses.discard(self.clock.steps + 1)
            self.clock.fault(self.name, "pause", after=self.last, before=what, step=self.clock.steps + 1,
                             seconds=self.stage.plan.seconds)
            self.stage.meanwhile(self)
        step = super().step(what)
        self.stage.tick()
        return step

    def called(self, *args, about: str = "") -> dict:
        """One call of the stage's program."""
        self.busy = True
        call = self.call(self.stage.plan.program, *args, about=about)
        self.busy = False
        return call


class Stage:
    """One run in progress: what all programs have in common."""

    def __init__(self, plan: Plan, functions: dict):
        self.plan, self.functions, self.clock = plan, functions, Clock(plan.crashes)
        self.pauses, self.broker = set(plan.pauses), Broker(self.clock, plan.losses)

    def tick(self) -> None:
        """A step was taken."""

    def meanwhile(self, sleeper: Worker) -> None:
        """What goes on while a worker is paused."""

    def hopeless(self, call: dict) -> bool:
        """Whether nothing can come of further calls."""
        return call["outcome"] == "endless" or (call["outcome"] == "fail" and
                                                call["error"] not in ("NotConfirmed", "Fenced"))


class Polled(Stage):
    """A relay that looks at a growing table."""

    def __init__(self, plan: Plan, functions: dict):
        super().__init__(plan, functions)
        self.database, self.relay = Database(dict(plan.aggregates), plan.first), Worker("relay", self)
        self.cursor, self.ended = "null", False

    def play(self) -> None:
        """The schedule, word by word, until the relay gives up."""
        for word in self.plan.schedule.split():
            who, action = word[:-1], word[-1]
            if (who, action) == LOOK:
                self.look()
            else:
                self.database.do(who, action)
                self.clock.note(who, f"{who} {self.words(who, action)}")
            if self.ended:
                return

    def words(self, who: str, action: str) -> str:
        """An action of a writer in words."""
        database = self.database
        return {"S": f"draws position {database.positions.get(who, 0) - 1 + database.first[0]}",
                "X": f"gets xid {database.xids.get(who, 0) - 1 + database.first[1]}",
                "L": f"locks {database.aggregates.get(who)}", "C": "commits", "R": "rolls back"}[action]

    def look(self) -> None:
        """One look: poll, publish what it chose, store its cursor."""
        look = self.database.look()
        seen = " ".join(f"{row.position} ({row.id}, xid {row.xid})" for row in look.rows[-4:]) or "nothing"
        call = self.relay.called(look, json.loads(self.cursor), about=f"sees {seen}; xmin {look.xmin}")
        answer = self.checked(call, look) if call["outcome"] == "ok" else None
        if answer is None:
            self.ended = self.hopeless(call)
            return
        try:
            self.publish(*answer)
        except Crash:
            self.relay.start()

    def checked(self, call: dict, look: Look) -> tuple[list[Row], str] | None:
        """What `poll` returned, if it is rows of the look and a cursor that can be stored, as JSON."""
        problem = ""
        try:
            rows, cursor = self.relay.returned
            rows, cursor = list(rows), json.dumps(cursor)
            if any(row not in look.rows for row in rows):
                problem = "it returned rows that this look does not show"
        except (TypeError, ValueError) as error:
            problem = f"it has to return rows and a cursor that JSON can hold ({error})"
        if problem:
            call.update(outcome="fail", error="ValueError", message=problem)
            return None
        return rows, cursor

    def publish(self, rows: list[Row], cursor: str) -> None:
        """Publish one after the other, then store the cursor: a process may die between any two."""
        link = Link(self.broker, self.relay)
        for row in rows:
            link.publish(row.id, row)
        self.relay.step("store the cursor")["settles"] = [row.id for row in rows]
        self.cursor = cursor

    def seen(self) -> dict:
        ids = {id for _, id in self.broker.stored}
        last = max((row.position for row in self.database.rows if row.id in ids), default=0)
        return {"rows": [facts(row) for row in self.database.rows],
                "published": plain(self.broker.stored), "kept": len(self.cursor),
                "done": [row.id for row in self.database.rows if row.position < last]}


class Relayed(Stage):
    """Two relays with one table."""

    def __init__(self, plan: Plan, functions: dict):
        super().__init__(plan, functions)
        self.table, self.late = Table(), sorted(plan.late)
        self.table.rows = list(plan.rows)
        self.relays = [Worker(f"relay-{number}", self) for number in (1, 2)]

    def tick(self) -> None:
        self.table.now = round(self.table.now + STEP, 1)
        while self.late and self.late[0][0] <= self.clock.steps:
            self.commit()

    def commit(self) -> None:
        """A row that was on its way is committed."""
        _, row = self.late.pop(0)
        self.table.rows.append(row)
        self.clock.note("shop", f"the shop commits {row.id}")

    def play(self) -> None:
        """Both relays in turn until nothing waits."""
        for _ in range(ROUNDS):
            if not any([self.round(relay) for relay in self.relays]):
                return
            self.table.now += BREAK
            while self.late and not self.table.waiting():
                self.commit()
            if not self.table.waiting():
                return

    def round(self, relay: Worker) -> bool:
        """One call of one relay; whether it makes sense to go on."""
        if relay.busy:
            return True
        call = relay.called(Session(self.table, relay), Link(self.broker, relay))
        return not self.hopeless(call)

    def meanwhile(self, sleeper: Worker) -> None:
        """The other relay does two rounds while this one sleeps."""
        other = next(relay for relay in self.relays if relay is not sleeper)
        self.table.now += self.plan.seconds
        for _ in range(2):
            self.round(other)
        waiting = sorted({row.aggregate for row in self.table.waiting()})
        self.clock.note(sleeper.name, f"{sleeper.name} wakes up and goes on", waiting=waiting)

    def seen(self) -> dict:
        rows = [*self.plan.rows, *(row for _, row in self.plan.late)]
        return {"rows": [facts(row) for row in rows],
                "published": plain(self.broker.stored), "kept": len(self.table.waiting()),
                "done": [row.id for row in rows if row.position in self.table.published]}


class Cleaned(Stage):
    """A cleanup, while a shop writes two rows a round and a relay marks all but those of one unlucky aggregate."""

    def __init__(self, plan: Plan, functions: dict):
        super().__init__(plan, functions)
        self.table, self.worker, self.coming = Table(), Worker("cleanup", self), list(plan.rows)
        self.rounds, self.deleted, self.slow = 0, set(), plan.rows[0].aggregate

    def play(self) -> None:
        """Rounds of writing, marking and cleaning, until everything written has been there for long enough."""
        for _ in range(len(self.plan.rows) // 2 + KEEP // BREAK + 6):
            self.work()
            call = self.worker.called(Session(self.table, self.worker), KEEP, about=f"{self.table.now:g} s")
            if self.hopeless(call):
                return
            overdue = [e for e in self.table.entries() if e.published is not None and
                       self.table.now - e.published > KEEP + BREAK]
            self.clock.note("table", f"{len(self.table.rows)} rows left", overdue=len(overdue))

    def work(self) -> None:
        """Ten seconds of the shop and the relay."""
        self.rounds += 1
        self.table.now += BREAK
        for row in self.table.waiting():
            if row.aggregate != self.slow or self.rounds > len(self.plan.rows) // 2 + 4:
                self.table.published[row.position] = self.table.now
        self.table.rows += self.coming[:2]
        del self.coming[:2]

    def meanwhile(self, sleeper: Worker) -> None:
        self.work()

    def seen(self) -> dict:
        left = {row.position for row in self.table.rows}
        return {"rows": [facts(row) for row in self.plan.rows],
                "published": [], "kept": len(self.table.rows),
                "done": [row.id for row in self.plan.rows if row.position not in left]}


class Followed(Stage):
    """A relay that reads the log of commits."""

    def __init__(self, plan: Plan, functions: dict):
        super().__init__(plan, functions)
        self.slot, self.relay = Slot(plan.log), Worker("relay", self)
        self.broker.stored = [(id, id) for id in plan.old]
        if plan.old:
            self.clock.fault("database", "snapshot")

    def play(self) -> None:
        """Connect, read what there is, and again, while more is committed."""
        for number in range(ROUNDS):
            if number and number > len(self.plan.log) and not self.slot.open():
                return
            self.slot.there = min(len(self.plan.log), 2 + number)
            call = self.relay.called(Stream(self.slot, self.relay), Link(self.broker, self.relay),
                                     about=f"from {self.slot.confirmed}")
            if self.hopeless(call):
                return

    def seen(self) -> dict:
        rows = [(change.row, changes[-1].lsn) for changes in self.plan.log for change in changes
                if change.kind in ("snapshot", "insert")]
        return {"rows": [facts(row) for row, _ in rows],
                "published": plain(self.broker.stored), "kept": len(self.slot.open()),
                "done": [row.id for row, lsn in rows if lsn <= self.slot.confirmed]}
