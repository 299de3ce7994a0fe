"""Running a system: once, side by side, over a grid.

A system is anything with `build(world, workload)`, which returns the running system: an object with `history`, `quiet()` (nothing is
left to happen), `finish()` (close the books) and `guarantees` (what it promises, for the checks). This module knows no broker.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from .evidence.history import History
from .evidence.meters import Meters
from .evidence.trace import Trace
from .kernel.faults import Fault
from .kernel.network import NetworkProfile
from .kernel.world import World
from .workload import Workload

SETTLE = 150.0  # seconds after the workload for things to come to rest; longer than a producer's delivery timeout


@dataclass
class Run:
    """What a simulation left behind: what clients saw, what nodes did, what it cost. `seconds` is simulated time."""
    system: object
    workload: Workload
    faults: tuple[Fault, ...]
    seed: int
    history: History
    trace: Trace
    meters: Meters
    guarantees: object
    seconds: float


def simulate(system, workload: Workload, *, faults: Iterable[Fault] = (), seed: int = 0, trace: bool = True,
             settle: float = SETTLE) -> Run:
    """Runs a system under a workload and faults until all is quiet, or `settle` seconds after the workload's end."""
    faults = tuple(faults)
    world = World(seed, getattr(system, "network", None) or NetworkProfile(), trace=trace)
    running = system.build(world, workload)
    for fault in faults:
        fault.schedule(world)
    last = max([workload.seconds] + [f.ends if f.ends < float("inf") else f.at for f in faults])
    world.run(until=last)
    world.run(until=last + settle, quiet=running.quiet)
    running.finish()
    return Run(system, workload, faults, seed, running.history, world.trace, world.meters, running.guarantees, world.now)
