"""Processes that die: every side effect is a numbered step, and a plan says at which steps a process dies.

A *step* is anything the outside could notice: a write, a commit, a publish, waiting for its confirmation, an
acknowledgement. A process killed at step k has done steps 1 to k-1 and nothing of step k. Time does not exist here;
the order of the steps is all there is, so a run is the same on every machine.
"""
import os
import tempfile
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path

from .memory import restarted
from .sqlite import connect, leave

MOST_STEPS = 300  # of one call: a program that needs more is going round in circles


class Crash(BaseException):
    """The process died. No `Exception`, because no `except Exception` survives a power cut."""


class Endless(BaseException):
    """One call made more steps than any correct program needs."""


class Clock:
    """Numbers the steps of one run, kills at those in `crashes`, and records what happened as plain dictionaries."""

    def __init__(self, crashes=()):
        self.crashes, self.steps, self.faults, self.events = set(crashes), 0, 0, []

    def note(self, who: str, what: str, **details) -> dict:
        """Record one event; the dictionary is returned so that the outcome can be added to it."""
        self.events.append({"who": who, "what": what, **details})
        return self.events[-1]

    def fault(self, who: str, what: str, **details) -> None:
        """Record that a fault of the plan really happened."""
        self.faults += 1
        self.note(who, what, fault=True, **details)


class NoDatabase:
    """The connection of a process without a file: no transaction of it is ever left open."""
    in_transaction = False

    def close(self) -> None:
        pass


class Process:
    """A running program: functions with a memory and a database connection, both gone when it dies."""

    def __init__(self, name: str, clock: Clock, database: str, functions: dict):
        self.name, self.clock, self.database, self.functions = name, clock, database, functions
        self.start()

    def start(self) -> None:
        """Start afresh on the same database file, if there is one."""
        self.dead, self.last = False, None
        vars(self).pop("memory", None)
        self.db = connect(self.database, self) if self.database else NoDatabase()

    @cached_property
    def memory(self) -> dict:
        """The functions as this start of the process knows them; nothing is copied if it is never called."""
        return restarted(self.functions)

    def stop(self) -> None:
        """Close the connection; what was not committed is gone."""
        self.db.close()

    def step(self, what: str) -> dict:
        """Called just before each side effect: dies here if the plan says so."""
        self.breathe()
        self.clock.steps += 1
        self.taken += 1
        if self.clock.steps in self.clock.crashes:
            self.dead = True
            self.clock.fault(self.name, "crash", after=self.last, before=what, step=self.clock.steps)
            raise Crash
        if self.taken > MOST_STEPS:
            self.dead = True
            raise Endless
        self.last = what
        return self.clock.note(self.name, what, step=self.clock.steps)

    def breathe(self) -> None:
        """A dead process does nothing, however widely its code catches exceptions."""
        if self.dead:
            raise Crash

    def arguments(self, name: str, args: tuple) -> tuple:
        """What a function is called with: the connection first. A stage with pure functions says so here."""
        return (self.db, *args)

    def call(self, name: str, *args, about: str = "") -> dict:
        """Run one function and record how it ended: `ok`, `fail` (it raised) or `info` (it died, so nobody knows).

        What it gave back is in `returned`, None if it did not come to that.
        """
        self.taken, self.last, self.returned = 0, None, None
        call = self.clock.note(self.name, "call", call=name, about=about, outcome="ok")
        try:
            self.returned = self.memory[name](*self.arguments(name, args))
        except Crash:
            pass  # recorded where it happened
        except Endless:
            call.update(outcome="endless")
        except (Exception, SystemExit) as error:
            call.update(outcome="fail", error=type(error).__name__, message=str(error))
        if self.dead:
            self.bury(call)
        elif self.db.in_transaction:
            self.clock.note(self.name, "rollback: the call returned with its transaction still open")
            self.db.rollback()
        return call

    def bury(self, call: dict) -> None:
        """Lose memory, connection and open transaction; start again."""
        if call["outcome"] != "endless":
            call["outcome"] = "info"
        self.stop()
        self.start()


class Pausable(Process):
    """A process that a plan may stop before a step; its stage has the `pauses`, and plays what happens meanwhile."""

    def step(self, what: str) -> dict:
        self.breathe()
        if self.clock.steps + 1 in self.stage.pauses:
            self.stage.pauses.discard(self.clock.steps + 1)
            self.stage.pause(self, what)
        return super().step(what)

    @contextmanager
    def asleep(self, before: str, **about):
        """The pause itself: between the two notes others do what they like."""
        self.clock.fault(self.name, "pause", **about, after=self.last, before=before, step=self.clock.steps + 1)
        yield
        self.clock.note(self.name, f"{self.name} wakes up and goes on")


@cache
def scratch(pid: int) -> tempfile.TemporaryDirectory:
    """A process's folder for all its runs, gone when it ends: to make and remove one takes as long as a run."""
    return tempfile.TemporaryDirectory(prefix="attack-")


def swept() -> Path:
    """The folder without what the run before has left, however that ended."""
    folder = Path(scratch(os.getpid()).name)
    leave()
    for file in folder.iterdir():
        file.unlink()
    return folder


def played(stage_of, plan, functions: dict):
    """One run of a stage with new files: it is played to the end, and what was seen is returned. One run at a time.

    `stage_of(plan, functions, folder)` makes the stage, which has `processes`, `play()` and `seen()`.
    """
    stage = stage_of(plan, functions, swept())
    try:
        stage.play()
        return stage.seen()
    finally:
        for process in stage.processes:
            process.stop()
