"""Taking turns: several calls are on their way at once, one goes on at a time, and each can be stopped before a step.

A call is a thread, but nothing ever runs side by side: whoever has the turn keeps it until it gives it back. So a plan
decides the order of all steps, and the same plan gives the same run.
"""
import threading
from collections import deque

from .steps import Process


class Turn:
    """A call that can be stopped in the middle and go on later."""

    def __init__(self, work):
        self.work, self.ended, self.error = work, False, None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.mine, self.back = threading.Lock(), threading.Lock()
        self.mine.acquire(), self.back.acquire()

    def _run(self) -> None:
        try:
            self.work()
        except BaseException as error:  # to be raised where the turn came from: nobody sees what a thread raises
            self.error = error
        self.ended = True
        self.back.release()

    def go_on(self) -> None:
        """Give it the turn; returns when it gives it back or has ended."""
        if self.thread.ident:
            self.mine.release()
        else:
            self.thread.start()
        self.back.acquire()
        if self.error:
            raise self.error

    def stop(self) -> None:
        """From inside: give the turn back, and wait for the next."""
        self.back.release()
        self.mine.acquire()


class Worker(Process):
    """A process with a memory, no files, and calls to make one after the other; a plan may stop it before a step."""

    def __init__(self, name: str, cast: "Cast", functions: dict):
        self.cast, self.calls, self.turn, self.asleep = cast, deque(), None, False
        super().__init__(name, cast.clock, "", functions)

    def step(self, what: str) -> dict:
        self.breathe()
        self.cast.before(self, what)
        return super().step(what)

    @property
    def busy(self) -> bool:
        """Whether it would do something with the turn."""
        return not self.asleep and bool(self.turn or self.calls)

    def go_on(self) -> None:
        """Go on with the call it is in, or begin the next, until it is stopped or done."""
        if not self.turn and not self.cast.stops_again():
            self.calls.popleft()()  # a thread costs time, and nobody will need it
            return
        self.turn = self.turn or Turn(self.calls.popleft())
        self.turn.go_on()
        if self.turn.ended:
            self.turn = None


class Cast:
    """Who takes part, in the order in which they are asked, and who has the turn.

    Before a step in `switches` the turn passes to somebody else, who keeps it until nothing is left for them to do;
    whoever stops before a step in `pauses` sleeps until all others are done.
    """

    def __init__(self, clock, switches=(), pauses=()):
        self.clock, self.switches, self.pauses = clock, dict(switches), set(pauses)
        self.workers: dict[str, Worker] = {}
        self.next: Worker | None = None

    def before(self, worker: Worker, what: str) -> None:
        """Called by a worker just before a step: it may have to wait here."""
        while (step := self.clock.steps + 1) in self.pauses or step in self.switches:
            told = {"after": worker.last, "before": what, "step": step}
            other = self.workers.get(self.switches.pop(step, None))
            if step in self.pauses:
                self.pauses.discard(step)
                worker.asleep = True
                self.clock.fault(worker.name, "pause", **told)
                then = "wakes up and goes on"
            elif other and other.busy and other is not worker:
                self.next = other
                self.clock.fault(worker.name, "overtaken", by=other.name, **told)
                then = "goes on"
            else:
                continue
            event = self.clock.events[-1]
            worker.turn.stop()
            event["later"] = self.clock.steps + 1 - step
            self.clock.note(worker.name, f"{worker.name} {then}")

    def stops_again(self) -> bool:
        """Whether the plan may still stop anybody."""
        return any(step > self.clock.steps for step in (*self.switches, *self.pauses))

    def work(self) -> None:
        """Until nobody who is awake has anything left to do."""
        while someone := self.next or next((each for each in self.workers.values() if each.busy), None):
            self.next = None
            someone.go_on()
            self.next = self.next or (someone if someone.busy else None)

    def wake(self) -> bool:
        """Wake the first one who sleeps; whether anybody did."""
        for worker in self.workers.values():
            if worker.asleep:
                worker.asleep = False
                return True
        return False
