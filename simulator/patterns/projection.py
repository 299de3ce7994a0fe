"""A read model kept by a projection that follows a log of events and writes down how far it has come.

Modelled: a log that hands every event to the projection, from its checkpoint on; one event at a time, each with the
workload's work; the checkpoint written with the state in one transaction, or `between` seconds before or after it.
A crash forgets what was in memory.

In the history an event stored is a send, and the read model is the topic: what the final reader finds in it, in order.

Left out: batches, several projections, what a query costs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..evidence.policy import Guarantees
from ..kernel.distributions import check
from ..kernel.network import NetworkProfile
from .parts import HEADERS, System, changes, one_of, seconds

if TYPE_CHECKING:
    from ..kernel.world import World
    from ..workload import Workload

KEY = "read model"
SENTENCES = {
    "command": ("send", "{node} appends event {value}"),
    "append": ("local", "{node} stores event {value} at position {offset}"),
    "subscribe": ("send", "{node} asks {peer} for the events from position {offset} on"),
    "event": ("send", "{node} hands event {value} to {peer}"),
    "apply": ("local", "{node} applies event {value} to the read model"),
    "checkpoint": ("local", "{node} writes down that it is through with position {offset}"),
    "both": ("local", "{node} applies event {value} and writes down position {offset}, in one transaction"),
}


@dataclass(frozen=True)
class Projection:
    """A log of events and the projection that follows it.

    checkpoint: "with" the state, in one transaction; or "before" or "after" it, in a transaction of its own.
    between: seconds from the first of the two transactions to the second.
    """
    checkpoint: str = "with"
    between: float = 0.005
    network: NetworkProfile = field(default_factory=NetworkProfile)

    def __post_init__(self):
        one_of(self, "checkpoint", "with", "before", "after")
        seconds(self, "between")
        check("network", self.network, isinstance(self.network, NetworkProfile), "a NetworkProfile")

    def build(self, world: World, workload: Workload) -> ProjectionSystem:
        """The running system in this world."""
        return ProjectionSystem(self, world, workload)

    def __str__(self) -> str:
        return f"Projection({changes(self)})"


class Projector:
    """The process that applies events; the read model and the checkpoint survive it."""

    def __init__(self, system: ProjectionSystem):
        self.system, self.config = system, system.config
        self.node = system.world.node("projector", "consumer")
        self._work = system.world.sampler("work/projector", system.workload.work)
        self.view: list[int] = []
        self.checkpoint = 0  # the position of the first event it is not through with
        self.node.on_start = self.start

    def start(self) -> None:
        """Begins with an empty memory at the checkpoint."""
        self.waiting: list[tuple[int, int]] = []  # (position, event of the trace), oldest first
        self.busy = False
        system = self.system
        link, position = system.world.network.link(self.node, system.log), self.checkpoint
        link.send(system.kinds["subscribe"], system.on_subscribe, position, HEADERS, -1, system.keys[KEY], position, 1)

    def on_event(self, position: int, event: int) -> None:
        """An event waits for those before it."""
        self.waiting.append((position, event))
        if not self.busy:
            self._next()

    def _next(self) -> None:
        self.busy = bool(self.waiting)
        if self.waiting:
            self.node.after(self._work(), self._write, *self.waiting.pop(0))

    def _write(self, position: int, cause: int) -> None:
        """The work on an event is done: the state and the checkpoint are written, together or one after the other."""
        if self.config.checkpoint == "with":
            self._apply(position, cause, "both")
            self.checkpoint = position + 1
            self._next()
        else:
            first, second = self._apply, self._mark
            if self.config.checkpoint == "before":
                first, second = second, first
            first(position, cause)
            self.node.after(self.config.between, self._second, second, position, cause)

    def _second(self, write, position: int, cause: int) -> None:
        write(position, cause)
        self._next()

    def _apply(self, position: int, cause: int, kind: str = "apply") -> None:
        system, value = self.system, self.system.events[position]
        event = system.note(self.node, kind, cause, value, KEY, position)
        system.saw("queries", KEY, value, len(self.view), event)
        self.view.append(value)

    def _mark(self, position: int, cause: int) -> None:
        self.system.note(self.node, "checkpoint", cause, self.system.events[position], KEY, position)
        self.checkpoint = position + 1


class ProjectionSystem(System):
    """Writer, log and projection of one run."""

    guarantees = Guarantees()  # each event counts once, in order

    def __init__(self, config: Projection, world: World, workload: Workload):
        super().__init__(config, world, workload, SENTENCES, (KEY,))
        self.node, self.log = world.node("service-1", "producer"), world.node("events", "broker")
        self.events: list[int] = []
        self.subscribed = False
        self.projector = Projector(self)
        self.log.on_disconnect = self._gone
        self.projector.start()

    def begin(self, value: int) -> None:
        """A command is accepted on the write model: an event is stored."""
        if self.node.up:
            event = self.send(self.node, self.log, "command", self._append, value, -1, value, key=KEY)
            self.began(value, event)

    def _append(self, value: int, event: int) -> None:
        self.events.append(value)
        appended = self.note(self.log, "append", event, value, KEY, len(self.events) - 1)
        self.stored(value, process="service-1")
        if self.subscribed:
            self._hand_out(len(self.events) - 1, appended)

    def on_subscribe(self, position: int, event: int) -> None:
        """The projection gets everything from a position on."""
        self.subscribed = True
        for behind in range(position, len(self.events)):
            self._hand_out(behind, event)

    def _hand_out(self, position: int, cause: int) -> None:
        value = self.events[position]
        self.send(self.log, self.projector.node, "event", self.projector.on_event, position, cause, value, key=KEY)

    def _gone(self, peer) -> None:
        self.subscribed = False

    def quiet(self) -> bool:
        """Whether the projection is through with everything."""
        through = self.projector.checkpoint == len(self.events) and not self.projector.busy
        return self.made == len(self.times) and not self.begun and through

    def finish(self) -> None:
        """Closes the books."""
        self.close({KEY: self.projector.view})
