"""The world of one run: virtual time, named randomness, nodes, and the evidence they leave.

SimPy keeps the time. A model may be written as SimPy processes (`world.process`), which reads best, or as calls
scheduled for later (`node.after`), which cost a third as much and respect crashes and pauses of their node; the brokers
use calls.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from heapq import heappush

import simpy
from simpy.events import NORMAL

from ..evidence.meters import Meters
from ..evidence.trace import Trace
from .distributions import Distribution
from .network import Network, NetworkProfile
from .node import Node
from .streams import Stream


class Call:
    """A function call that SimPy takes for an event: with the two attributes it looks at, at a third of the cost."""

    __slots__ = ("function", "args", "callbacks")
    _ok = True

    def __init__(self, function: Callable, args: tuple):
        self.function, self.args = function, args
        self.callbacks = _RUN

    def cancel(self) -> None:
        """The call will not be made."""
        self.function, self.args = _nothing, ()


def _run(call: Call) -> None:
    call.function(*call.args)


def _nothing() -> None:
    """What a cancelled call does."""


_RUN = (_run,)


class World:
    """Virtual time (seconds from 0), nodes on a network, and what they write: `trace` and `meters`."""

    def __init__(self, seed: int = 0, network: NetworkProfile | None = None, trace: bool = True):
        self.seed = seed
        self.env = simpy.Environment()
        self.trace = Trace(enabled=trace)
        self.meters = Meters()
        self.nodes: dict[str, Node] = {}
        self.network = Network(self, network or NetworkProfile())

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return self.env._now  # the public property costs a second call on the hottest path there is

    def after(self, delay: float, function: Callable, *args) -> Call:
        """Calls a function after a delay in seconds; the returned call can be cancelled."""
        return self.at(self.env._now + delay, function, args)

    def at(self, time: float, function: Callable, args: tuple = ()) -> Call:
        """Calls a function at an exact time; calls for the same time are made in the order of their scheduling.

        SimPy schedules by delay only, and `now + (time - now)` may miss `time` by a rounding error: enough for one
        message to overtake another. So the call goes straight into SimPy's queue, as its own `schedule` would put it
        there.
        """
        call = Call(function, args)
        env = self.env
        heappush(env._queue, (time, NORMAL, next(env._eid), call))
        return call

    def process(self, generator: Generator) -> simpy.Process:
        """Runs a generator as a SimPy process; it yields `world.timeout(...)` and other SimPy events."""
        return self.env.process(generator)

    def timeout(self, delay: float) -> simpy.Timeout:
        """An event that happens after a delay in seconds."""
        return self.env.timeout(delay)

    def stream(self, name: str) -> Stream:
        """The random stream of the component with this name."""
        return Stream(self.seed, name)

    def sampler(self, name: str, distribution: Distribution) -> Callable[[], float]:
        """A function that draws from a distribution with the random stream of this name."""
        return distribution.sampler(self.stream(name))

    def node(self, name: str, role: str, zone: str = "a") -> Node:
        """A new node, known to the trace by its name."""
        if name in self.nodes:
            raise ValueError(f"node: {name!r} exists already")
        self.nodes[name] = Node(self, name, role, zone)
        return self.nodes[name]

    def run(self, until: float, quiet: Callable[[], bool] | None = None, check_every: float = 1.0) -> float:
        """Lets time pass until `until`, or until `quiet()` holds at one of the regular looks; the time reached."""
        while self.now < until and not (quiet and quiet()):
            self.env.run(until=min(until, self.now + check_every) if quiet else until)
        return self.now
