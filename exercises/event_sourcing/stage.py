"""The stage on which an event store performs: one SQLite file, two writers with orders to carry out, and a plan.

`perform(plan, functions)` plays one run and returns what could be seen of it: every step, what each order was answered,
and what stands in the store in the end. An order is the name of a function and its arguments:

    append   stream, expected version, events            withdraw   command id, stream, cents
    load     stream                                       snapshot   stream
    fold     events in today's schema, through `evolve`   upcast     type, schema, data

A writer that dies, or finds the database locked, or whose answer is lost, is given the same order again.
"""
import json
from collections import deque
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import OperationalError

from exercises.attack import Clock
from exercises.attack.runs import Evidence, plain
from exercises.attack.sqlite import locked, made, rows
from exercises.attack.steps import Pausable, played

from .history import Stored

SCHEMA = """
CREATE TABLE events (stream TEXT, version INTEGER, event_id TEXT, type TEXT, schema INTEGER, data TEXT,
                     PRIMARY KEY (stream, version));
CREATE TABLE snapshots (stream TEXT PRIMARY KEY, version INTEGER, schema INTEGER, state TEXT);
"""
WRITERS = ("writer-1", "writer-2")
PURE = ("evolve", "upcast")  # called without a database
ROUNDS = 40                  # after which a run is over in any case
ARCHIVED = '{"archived": true}'


@dataclass(frozen=True)
class Plan:
    """One attack: what the store holds, the orders of both writers, and where the faults strike.

    `crashes` and `pauses` are step numbers; `lost` and `locked` are numbers of orders, in the order in which they are
    tried: the answer does not arrive, or somebody else writes to the database meanwhile. `stale` plants snapshots of
    an older program; `archive` moves every event that a snapshot covers away once it is taken.
    """
    stored: tuple[Stored, ...]
    orders: tuple[tuple[tuple, ...], tuple[tuple, ...]]
    crashes: tuple[int, ...] = ()
    pauses: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()
    locked: tuple[int, ...] = ()
    stale: bool = False
    archive: bool = False


@dataclass
class Run(Evidence):
    """What was answered, and what the store holds in the end."""
    answers: list
    store: list


def perform(plan: Plan, functions: dict) -> Run:
    """Play one run to the end: every order until it is answered."""
    return played(Stage, plan, functions)


class Writer(Pausable):
    """A process with orders. A plan may stop it before a step for so long that the other one does all of its own."""

    def __init__(self, number: int, stage: "Stage", functions: dict):
        self.stage, self.orders, self.busy = stage, deque(enumerate(stage.plan.orders[number])), False
        self.number = number
        super().__init__(WRITERS[number], stage.clock, stage.database, functions)

    def arguments(self, name: str, args: tuple) -> tuple:
        return args if name in PURE else (self.db, *args)

    def obey(self) -> None:
        """Try the next order; it stays the next one until its answer has arrived."""
        if not self.orders or self.busy:
            return
        number, (name, *args) = self.orders[0]
        self.busy = True
        if self.stage.tried(self, number, name, args):
            self.orders.popleft()
        self.busy = False


class Stage:
    """One run in progress."""

    def __init__(self, plan: Plan, functions: dict, folder: Path):
        self.plan, self.database, self.clock = plan, str(folder / "events.db"), Clock(plan.crashes)
        self.pauses, self.tries, self.answers = set(plan.pauses), 0, []
        insert = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)"
        made(self.database, SCHEMA, [(insert, as_row(each)) for each in plan.stored])
        if plan.stale:
            insert = "INSERT INTO snapshots VALUES (?, ?, 1, ?)"
            made(self.database, statements=[(insert, row) for row in stale(plan.stored)])
            self.clock.fault("an older program", "stale")
        self.processes = self.writers = [Writer(number, self, functions) for number in (0, 1)]

    def play(self) -> None:
        """Both writers in turn until all orders are answered."""
        for _ in range(ROUNDS):
            for writer in self.writers:
                writer.obey()

    def tried(self, writer: Writer, number: int, name: str, args: list) -> bool:
        """Whether an order was answered, and the answer arrived."""
        try:
            before = self.lengths()
        except OperationalError:  # a writer was paused with a lock that keeps even readers out
            return False
        self.tries += 1
        this = self.tries
        with self.database_for(this):
            call = self.folded(writer, args[0]) if name == "fold" else self.called(writer, name, args)
        if name == "snapshot" and call["outcome"] == "ok" and self.plan.archive:
            self.archive(args[0])
        if call["outcome"] == "info" or (call.get("error") == "OperationalError" and self.contended(call)):
            return False
        if this in self.plan.lost:
            self.clock.fault(writer.name, "lost", about=call["about"])
            return False
        self.answers.append({
            "writer": writer.number, "order": number, "outcome": call["outcome"], "error": call.get("error"),
            "message": call.get("message", ""), "returned": plain(writer.returned), "before": before,
            "after": self.lengths()})
        return True

    def called(self, writer: Writer, name: str, args: list) -> dict:
        """Call a function with the order's arguments; it may spoil its copy of them, and is seen doing so."""
        given = deepcopy(args)
        call = writer.call(name, *given, about=worded(name, args))
        if given != args:
            self.clock.note(writer.name, "spoiled", about=call["about"])
        return call

    def folded(self, writer: Writer, events: list) -> dict:
        """A history through `evolve`, event by event; the last state is what is answered."""
        state = None
        for event in events:
            call = self.called(writer, "evolve", [state, event.type, event.data])
            if call["outcome"] != "ok":
                break
            state = writer.returned
        return call

    def contended(self, call: dict) -> bool:
        """Whether a call failed because somebody else held the database: then the order is tried again."""
        return "locked" in call["message"] and bool(self.plan.pauses or self.plan.locked)

    def pause(self, writer: Writer, before: str) -> None:
        """Stop a writer in the middle of its call while the other one goes through its orders."""
        other = self.writers[1 - writer.number]
        with writer.asleep(before):
            for _ in range(len(other.orders)):
                other.obey()

    def archive(self, stream: str) -> None:
        """Move the events that the stream's snapshot should cover to where nobody can read them."""
        length = self.lengths().get(stream, 0)
        made(self.database, statements=[("UPDATE events SET data = ? WHERE stream = ? AND version < ?",
                                  (ARCHIVED, stream, length))])
        self.clock.fault("the archive", "archive", stream=stream, below=length)

    def database_for(self, this: int) -> AbstractContextManager:
        """The database as an order finds it: free, or locked by somebody else's write."""
        if this not in self.plan.locked:
            return nullcontext()
        self.clock.fault("somebody else", "locked")
        return locked(self.database)

    def lengths(self) -> dict:
        """How many events each stream has."""
        return dict(rows(self.database, "SELECT stream, COUNT(*) FROM events GROUP BY stream"))

    def seen(self) -> Run:
        """The evidence: what happened, what was answered, what is left."""
        store = rows(self.database, "SELECT stream, version, event_id, type, schema, data FROM events"
                                    " ORDER BY stream, version")
        return Run.of(self.plan, self.clock, answers=plain(self.answers), store=plain(store))


def as_row(event: Stored) -> tuple:
    return (*event[:-1], json.dumps(event.data))


def stale(stored: tuple[Stored, ...]) -> list[tuple]:
    """A snapshot of each stream as an older program wrote it: plausible, and without the count of withdrawals."""
    lengths = {event.stream: event.version + 1 for event in stored}
    state = json.dumps({"owner": "nobody", "balance": 999_999})
    return [(stream, length, state) for stream, length in lengths.items()]


def worded(name: str, args: list) -> str:
    """The arguments of a call in words."""
    if name == "append":
        return f"{args[0]}, expected {args[1]}, {' '.join(event.id for event in args[2])}"
    if name == "evolve":
        return f"{args[1]} {args[2]}"
    return ", ".join(map(str, args))
