"""A saga: one business transaction as a chain of local ones, each with a compensation, led by an orchestrator.

Modelled: an orchestrator that writes its decision down before it sends the command; services that do or refuse their
step, do it once however often they are asked (the saga's number is the key), and refuse a step that was undone before
it was done; a pivot after which nothing is undone; timeouts. Wrong variants are switches: an orchestrator that keeps
its sagas in memory, one that compensates only what it was told of, services without an idempotency key.

In the history a saga is a transaction with one record a service; the final reader finds what stands in each service,
sorted by saga: books have no order.

Simplified: writing a decision down takes no time. Undoing never fails for good, and is tried until it is confirmed.
Compensations go backwards, one after another.

Left out: choreography, locks on what a saga has touched, operators.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from ..evidence.history import FAIL, FINAL_READER, INFO, OK, UNKNOWN
from ..evidence.policy import Guarantees
from ..kernel.distributions import Distribution, Exponential, as_distribution, check
from ..kernel.network import NetworkProfile
from .parts import HEADERS, System, changes, one_of, positive, probability

if TYPE_CHECKING:
    from ..kernel.world import World
    from ..workload import Workload

SENTENCES = {
    "begin": ("local", "{node} begins saga {value}"),
    "do": ("send", "{node} asks {peer} to do its step of saga {value}"),
    "undo": ("send", "{node} asks {peer} to undo its step of saga {value}"),
    "effect": ("local", "{node} does its step of saga {value}"),
    "undone": ("local", "{node} undoes its step of saga {value}"),
    "nothing_to_undo": ("local", "{node} has nothing to undo for saga {value}, and will refuse the step if it comes"),
    "refuses": ("local", "{node} refuses its step of saga {value}"),
    "answered": ("send", "{node} answers {peer} about saga {value}: {note}"),
    "timeout": ("state", "{node} has no answer from {peer} about saga {value}"),
    "completed": ("local", "{node} completes saga {value}"),
    "compensated": ("state", "{node} has undone saga {value}"),
    "forgotten": ("state", "{node} starts with no memory of {count} open sagas, the first of them saga {value}"),
}


@dataclass(frozen=True)
class Saga:
    """Services in the order of their steps, and the orchestrator that leads a saga through them.

    failure: probability that a service refuses its step. step: seconds a step takes, a number or a distribution.
    pivot: the step (counted from 1) after which only forward is possible; None: every step can still be refused.
    durable: whether the orchestrator's decisions survive its crash.
    timeout: seconds without an answer until it tries again (after the pivot, or undoing) or gives the saga up.
    compensate: what it undoes then, "started" steps, or only "confirmed" ones, which forgets the step in doubt.
    idempotent: whether services know a command that comes again.
    """
    services: tuple[str, ...] = ("stock", "payment", "shipping", "loyalty")
    failure: float = 0.05
    step: float | Distribution = field(default_factory=lambda: Exponential(0.1))
    pivot: int | None = None
    durable: bool = True
    timeout: float = 5.0
    compensate: str = "started"
    idempotent: bool = True
    network: NetworkProfile = field(default_factory=NetworkProfile)

    def __post_init__(self):
        names = self.services
        distinct = isinstance(names, tuple) and len(names) > 0 and len(set(names)) == len(names)
        check("services", names, distinct, "a tuple of different names, at least one")
        probability(self, "failure")
        as_distribution("step", self.step)
        steps = range(1, len(names) + 1)
        check("pivot", self.pivot, self.pivot is None or self.pivot in steps, f"None or a step from 1 to {len(names)}")
        for name in ("durable", "idempotent"):
            one_of(self, name, True, False)
        positive(self, "timeout")
        one_of(self, "compensate", "started", "confirmed")
        check("network", self.network, isinstance(self.network, NetworkProfile), "a NetworkProfile")

    def build(self, world: World, workload: Workload) -> SagaSystem:
        """The running system in this world."""
        return SagaSystem(self, world, workload)

    def __str__(self) -> str:
        return f"Saga({changes(self)})"


class Service:
    """One participant: what stands in its books, and what it will refuse."""

    def __init__(self, system: SagaSystem, name: str):
        self.system, self.config, self.name = system, system.config, name
        self.node = system.world.node(name, "service")
        self._takes = system.world.sampler(f"step/{name}", as_distribution("step", self.config.step))
        self._luck = system.world.stream(f"failure/{name}")
        self.standing: list[int] = []  # sagas whose step is done, once for each time that it was done
        self.refused: dict[int, None] = {}  # sagas that were undone before they were done, or refused

    def on_do(self, saga: int, event: int) -> None:
        """Works on the step, unless it was done or ruled out already."""
        if self.config.idempotent and (saga in self.standing or saga in self.refused):
            self._answer(saga, event, "done" if saga in self.standing else "refused")
        else:
            self.node.after(self._takes(), self._try, saga, event)

    def _try(self, saga: int, cause: int) -> None:
        known = self.config.idempotent and saga in self.standing
        past_pivot = self.system.past_pivot(self.name)
        if saga in self.refused or not known and not past_pivot and self._luck.uniforms(1)[0] < self.config.failure:
            self.refused[saga] = None
            self._answer(saga, self.system.note(self.node, "refuses", cause, saga, self.name), "refused")
            return
        if not known:
            self.standing.append(saga)
        self._answer(saga, self.system.note(self.node, "effect", cause, saga, self.name), "done")

    def on_undo(self, saga: int, event: int) -> None:
        """Undoes the step, or remembers that it must never be done."""
        kind = "undone" if saga in self.standing else "nothing_to_undo"
        if saga in self.standing:
            self.standing.remove(saga)
        self.refused[saga] = None
        self._answer(saga, self.system.note(self.node, kind, event, saga, self.name), "undone")

    def _answer(self, saga: int, cause: int, what: str) -> None:
        system, message = self.system, (saga, self, what)
        sent = system.send(self.node, system.node, "answered", system.on_answer, message, cause, saga, key=self.name,
                           size=HEADERS)
        if sent >= 0:
            system.world.trace.notes[sent] = what


@dataclass
class State:
    """What the orchestrator knows of a saga: where it stands, whether it goes back, and the wait for an answer."""
    at: int = 0
    back: bool = False
    in_doubt: bool = False
    attempt: int = 0
    sent: int = -1


class SagaSystem(System):
    """Orchestrator and services of one run."""

    guarantees = Guarantees()

    def __init__(self, config: Saga, world: World, workload: Workload):
        super().__init__(config, world, workload, SENTENCES, config.services)
        self.node = world.node("orchestrator", "controller")
        self.services = [Service(self, name) for name in config.services]
        self.node.on_start = self._restarted
        self.open: dict[int, State] = {}
        self.ended: dict[int, tuple[int, float]] = {}  # saga: how and when

    def past_pivot(self, name: str) -> bool:
        """Whether a service's step comes after the pivot, where it may take long but is not refused."""
        return self.config.pivot is not None and self.config.services.index(name) >= self.config.pivot

    # Forward and back

    def begin(self, value: int) -> None:
        """A saga begins, if there is somebody to lead it."""
        if self.node.up:
            self.began(value, self.note(self.node, "begin", -1, value, self.services[0].name))
            self.open[value] = State()
            self._count()
            self._command(value, self.begun[value][2])

    def _command(self, saga: int, cause: int) -> None:
        """Sends what the state says comes next; the state was written down before."""
        state = self.open[saga]
        service = self.services[state.at]
        state.attempt += 1
        kind, handler = ("undo", service.on_undo) if state.back else ("do", service.on_do)
        state.sent = self.send(self.node, service.node, kind, handler, saga, cause, saga, key=service.name)
        self.node.after(self.config.timeout, self._timeout, saga, state.attempt)

    def on_answer(self, message: tuple, event: int) -> None:
        """A service answers; what is not the answer to the open command is late, and changes nothing."""
        saga, service, what = message
        state = self.open.get(saga)
        if state is None or self.services[state.at] is not service or state.back != (what == "undone"):
            return
        if what == "done":
            state.at += 1
        else:
            state.back, state.at = True, state.at - 1
        state.attempt += 1
        self._go_on(saga, event)

    def _go_on(self, saga: int, cause: int) -> None:
        state = self.open[saga]
        if state.at == len(self.services):
            self._end(saga, OK, "completed", cause)
        elif state.at < 0:
            self._end(saga, FAIL, "compensated", cause)
        else:
            self._command(saga, cause)

    def _timeout(self, saga: int, attempt: int) -> None:
        state = self.open.get(saga)
        if state is None or state.attempt != attempt:
            return
        service = self.services[state.at]
        event = self.note(self.node, "timeout", state.sent, saga, service.name, peer=service.node)
        if not state.back and not self.past_pivot(service.name):
            state.back = True
            state.at -= self.config.compensate == "confirmed"
        self._go_on(saga, event)

    def _end(self, saga: int, type: int, kind: str, cause: int) -> None:
        del self.open[saga]
        self.ended[saga] = (type, self.world.now)
        self.world.meters.counts[kind] += 1
        self.note(self.node, kind, cause, saga, self.services[0].name)
        self._count()

    def _restarted(self) -> None:
        """Goes on with what was written down; without that, with nothing."""
        if not self.config.durable:
            if self.open:
                first, count = next(iter(self.open)), len(self.open)
                self.note(self.node, "forgotten", self.node.fault, first, self.services[0].name, count=count)
            self.open = {}
        for saga in list(self.open):
            self._command(saga, self.node.fault)

    def _count(self) -> None:
        self.world.meters.level("open sagas", self.world.now, len(self.open))

    # The end of a run

    def quiet(self) -> bool:
        """Whether every saga has come to an end that the orchestrator knows of."""
        return self.made == len(self.times) and not self.open and self.node.up

    def finish(self) -> None:
        """Closes the books: each saga as a transaction over its services, and what stands in each of them."""
        for saga in list(self.begun):
            self._book(saga, *self.ended.get(saga, (INFO, self.world.now)))
        self.history.assign(FINAL_READER, self.config.services, self.world.now)
        for service in self.services:
            for offset, saga in enumerate(sorted(service.standing)):
                self.saw(FINAL_READER, service.name, saga, offset)
        self.history.drained = True

    def _book(self, saga: int, type: int, completed: float) -> None:
        op, began, event = self.begun.pop(saga)
        history, process = self.history, self.history.processes.code("orchestrator")
        for service in self.services:
            key = history.keys.code(service.name)
            history.sent(op, process, key, saga, 1, UNKNOWN, type, 0, began, completed, event)
        history.transactions.append(op, process, type, began, inf if type == FAIL else completed, completed, event)
