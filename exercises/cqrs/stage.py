"""The stage on which a read model performs: a log, two replicas (SQLite files), projectors, readers, and a plan.

`perform(plan, functions)` plays one run and returns what could be seen of it: every step, what readers were told, and
what the replicas hold once everything is quiet. An act is one of

    ("append", n)           the next n events of the plan become visible
    ("project", r, n)       the projector of replica r is given its next n events
    ("again", r, n)         it is given the last n events once more, as after a rebalance
    ("read", r, customer)   a session reads, with the newest position it knows as its token
    ("write", customer)     the session writes: one event becomes visible, and its position is the session's token
    ("rebuild", r)          the model of replica r is made anew
    ("lag", r, skew)        somebody asks how far replica r is behind, so many seconds after the last event by a clock
                            that may be wrong: then the skew is less than nothing
"""
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import OperationalError

from exercises.attack import Clock
from exercises.attack.runs import Evidence, plain
from exercises.attack.sqlite import made, rows
from exercises.attack.steps import Pausable, played

from .log import Event, Log, totals_at

SCHEMA = """
CREATE TABLE totals (customer TEXT PRIMARY KEY, orders INTEGER, spent INTEGER);
CREATE TABLE shadow (customer TEXT PRIMARY KEY, orders INTEGER, spent INTEGER);
CREATE TABLE checkpoint (name TEXT PRIMARY KEY, position INTEGER)
"""
TRIES, ERROR = 8, 1000  # tries of one call; cents by which a model that needs a rebuild is wrong
REPLICAS = (0, 1)


@dataclass(frozen=True)
class Plan:
    """One attack: the log, what happens when, and where the faults strike.

    `crashes` and `pauses` are step numbers; during a pause the acts of `meanwhile` take place. With `wrong` the first
    replica begins as an older program left it: at the position of the first event that is not yet visible, with a
    thousand cents too much for everybody.
    """
    log: tuple[Event, ...]
    acts: tuple[tuple, ...]
    crashes: tuple[int, ...] = ()
    pauses: tuple[int, ...] = ()
    meanwhile: tuple[tuple, ...] = ()
    visible: int = 0
    wrong: bool = False


@dataclass
class Run(Evidence):
    """What was answered, and what the models say in the end."""
    answers: list
    models: list


def perform(plan: Plan, functions: dict) -> Run:
    """Play one run to the end: all acts, then quiet until both replicas were given everything."""
    return played(Stage, plan, functions)


class Actor(Pausable):
    """A process at one replica. A plan may stop it before a step while other things happen."""

    def __init__(self, name: str, stage: "Stage", replica: int, functions: dict):
        self.stage, self.replica, self.cursor = stage, replica, None
        super().__init__(name, stage.clock, stage.databases[replica], functions)

    def answer(self, name: str, *args, about: str = ""):
        """Call a function until it returns: a crash, or a database held by somebody paused, is tried again."""
        for _ in range(TRIES):
            call = self.call(name, *args, about=about)
            if call["outcome"] == "info":
                self.cursor = None
            elif call.get("error") != "OperationalError" or "locked" not in call["message"]:
                return call
            elif self.stage.paused:
                return call  # nobody gets on before the sleeper wakes up
        return call


class Stage:
    """One run in progress."""

    def __init__(self, plan: Plan, functions: dict, folder: Path):
        self.plan, self.clock, self.pauses, self.paused = plan, Clock(plan.crashes), set(plan.pauses), False
        self.log, self.hidden = Log(plan.log[:plan.visible]), list(plan.log[plan.visible:])
        self.databases = [str(folder / f"replica-{replica}.db") for replica in REPLICAS]
        for replica in REPLICAS:
            made(self.databases[replica], SCHEMA, self.rows_of_old() if plan.wrong and not replica else ())
        self.functions, self.actors, self.token, self.answers = functions, {}, 0, []
        self.processes = self.actors.values()

    def actor(self, name: str, replica: int) -> Actor:
        """A projector, its rival, a reader or a rebuilder: started when it first has something to do."""
        if (name, replica) not in self.actors:
            self.actors[name, replica] = Actor(f"{name} {replica}", self, replica, self.functions)
        return self.actors[name, replica]

    def rows_of_old(self) -> list[tuple]:
        """The model that an older program has left behind."""
        old = totals_at(self.log.events, self.log.head())
        checkpoint = "INSERT INTO checkpoint VALUES ('live', ?)", (self.log.head(),)
        return [checkpoint, *(("INSERT INTO totals VALUES (?, ?, ?)", (who, orders, spent + ERROR))
                              for who, (orders, spent) in old.items())]

    def play(self) -> None:
        """All acts, then what is left of the log to both replicas."""
        for act in self.plan.acts:
            self.act("projector", *act)
        self.log.events += self.hidden
        for replica in REPLICAS:
            self.project("projector", replica, len(self.plan.log))
            for customer in sorted({event.customer for event in self.plan.log}):
                self.read(replica, customer)

    def act(self, projector: str, kind: str, *args) -> None:
        """One act of the plan."""
        if kind == "append":
            self.log.events += [self.hidden.pop(0) for _ in range(min(args[0], len(self.hidden)))]
        elif kind == "write":
            self.write(*args)
        elif kind == "project":
            self.project(projector, *args)
        elif kind == "again":
            self.again(projector, *args)
        elif kind == "read":
            self.read(*args)
        elif kind == "lag":
            self.lag(*args)
        else:
            self.actor("rebuilder", args[0]).answer("rebuild", self.log)

    def project(self, projector: str, replica: int, number: int) -> None:
        """Give a projector its next events; it begins where `position` says."""
        actor = self.actor(projector, replica)
        for _ in range(number + TRIES * len(self.plan.crashes)):
            if actor.cursor is None:
                actor.answer("position")
                actor.cursor = actor.returned if type(actor.returned) is int else 0
            following = self.log.read(actor.cursor, 1)
            if not following or number <= 0:
                return
            call = actor.answer("project", following[0], about=str(following[0].position))
            if call["outcome"] == "ok" and actor.cursor is not None:
                actor.cursor, number = following[0].position, number - 1
            elif self.paused:
                return

    def again(self, projector: str, replica: int, number: int) -> None:
        """Deliver the last events once more."""
        actor = self.actor(projector, replica)
        seen = [event for event in self.log.events if event.position <= (actor.cursor or 0)][-number:]
        if seen:
            self.clock.fault("the log", "again", events=[event.position for event in seen], replica=replica)
        for event in seen:
            actor.answer("project", event, about=str(event.position))

    def write(self, customer: str) -> None:
        """The session writes: its token is the position of its event."""
        if self.hidden:
            self.log.events.append(self.hidden.pop(0))
            self.token = self.log.head()
            self.clock.note("the session", f"wrote position {self.token}")

    def read(self, replica: int, customer: str) -> None:
        """The session reads with its token, which grows with what it has seen."""
        reader = self.actor("reader", replica)
        call = reader.answer("read", customer, self.token, about=f"{customer}, {self.token}")
        returned = plain(reader.returned)
        self.answers.append({"kind": "read", "replica": replica, "customer": customer, "token": self.token,
                             "outcome": call["outcome"], "error": call.get("error"), "returned": returned,
                             "stored": self.stored(replica)})
        if call["outcome"] == "ok" and isinstance(returned, list) and returned and type(returned[0]) is int:
            self.token = max(self.token, returned[0])

    def lag(self, replica: int, skew: int = 60) -> None:
        now = (self.log.events[-1].at if self.log.events else 0) + skew
        if skew < 0:
            self.clock.fault(f"the clock of replica {replica}", "skew", seconds=-skew)
        reader = self.actor("reader", replica)
        call = reader.answer("lag", self.log, now, about=f"at second {now}")
        reader_position = self.stored(replica)
        self.answers.append({"kind": "lag", "replica": replica, "now": now, "outcome": call["outcome"],
                             "visible": len(self.log.events), "returned": plain(reader.returned),
                             "stored": reader_position})

    def stored(self, replica: int) -> int:
        """How far a replica says it is."""
        found = rows(self.databases[replica], "SELECT MAX(position) FROM checkpoint WHERE name = 'live'")
        return found[0][0] or 0

    def pause(self, actor: Actor, before: str) -> None:
        """Stop a process in the middle of its call while other things happen; if it projects, a rival does so too."""
        if self.paused:
            return
        self.paused = True
        projector = "rival" if actor.name.startswith("projector") else "projector"
        with actor.asleep(before):
            for act in self.plan.meanwhile:
                with suppress(OperationalError):  # the sleeper keeps even readers out: this cannot happen now
                    self.stored(actor.replica)
                    self.act(projector, *act)
        self.paused = False

    def seen(self) -> Run:
        """The evidence: what happened, what was answered, what is left."""
        models = [{"totals": rows(path, "SELECT customer, orders, spent FROM totals ORDER BY customer"),
                   "position": self.stored(replica)} for replica, path in enumerate(self.databases)]
        return Run.of(self.plan, self.clock, answers=plain(self.answers), models=plain(models))
