"""Running a system: once, side by side, over a grid of settings.

A system is anything with `build(world, workload)`, which returns the running system: an object with `history`,
`guarantees` (what it promises, for the checks), `quiet()` (nothing is left to happen) and `finish()` (close the books).
This module knows no broker.
"""

from __future__ import annotations

import gc
import itertools
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager, nullcontext
from dataclasses import replace

from .kernel.distributions import check, is_number, is_whole
from .kernel.faults import Fault
from .kernel.network import NetworkProfile
from .kernel.world import World
from .run import Comparison, Run, Sweep
from .workload import Workload

SETTLE = 150.0  # seconds after the workload for things to come to rest; longer than a producer's delivery timeout


def simulate(system, workload: Workload, *, faults: Iterable[Fault] = (), seed: int = 0, trace: bool = True,
             settle: float = SETTLE) -> Run:
    """Runs a system under a workload and faults until all is quiet, or `settle` seconds after the last of them.

    `trace=False` records what clients saw and what it cost, but not what nodes did.
    """
    check("system", system, hasattr(system, "build") and not isinstance(system, type),
          "a system, for example kafka.Cluster()")
    check("workload", workload, isinstance(workload, Workload), "a Workload")
    faults = _faults(faults)
    check("seed", seed, is_whole(seed), "a whole number")
    check("settle", settle, is_number(settle) and settle >= 0, "a number of seconds, at least 0")
    world = World(seed, getattr(system, "network", None) or NetworkProfile(), trace=trace)
    running = system.build(world, workload)
    for fault in faults:
        fault.schedule(world)
    last = max([workload.seconds] + [f.ends if f.ends < float("inf") else f.at for f in faults])
    with _no_garbage_collection():
        world.run(until=last)
        world.run(until=last + settle, quiet=running.quiet)
        running.finish()
    world.network.count_bytes()
    world.meters.close(world.now)
    return Run(system, workload, faults, seed, running.history, world.trace, world.meters,
               running.guarantees, world.now)


def compare(systems: Sequence | Mapping[str, object], workload: Workload, *, faults: Iterable[Fault] = (),
            seed: int = 0) -> Comparison:
    """The same workload, faults and seed on several systems; names are given by a mapping or taken from the systems."""
    check("systems", systems, isinstance(systems, (Mapping, list, tuple)) and len(systems) > 0,
          "a list of systems, or a mapping of names to systems")
    named = systems if isinstance(systems, Mapping) else _named(systems)
    faults = _faults(faults)
    return Comparison({name: simulate(system, workload, faults=faults, seed=seed) for name, system in named.items()})


def _named(systems: Sequence) -> dict[str, object]:
    """Systems by what they say of themselves, numbered where two say the same."""
    names = [str(system) for system in systems]
    return {name if names.count(name) == 1 else f"{name} #{number + 1}": system
            for number, (name, system) in enumerate(zip(names, systems))}


def sweep(system, workload: Workload, vary: Mapping[str, Sequence], *, seeds: int | Sequence[int] = 5,
          faults: Iterable[Fault] = (), executor: Executor | None = None, progress: bool = True) -> Sweep:
    """Every combination of settings under every seed, one row each, in processes of their own.

    `vary` maps a setting to its values: "min_insync" or "producer.linger" of the system, "workload.rate" of the
    workload. The executor may be any `concurrent.futures.Executor`; without one, as many processes as there are
    processors.
    """
    faults = _faults(faults)
    for setting, values in vary.items():
        check("vary", {setting: values}, isinstance(values, Iterable) and not isinstance(values, str),
              "a list of values for each setting")
    seeds = _seeds(seeds)
    points = [dict(zip(vary, values)) for values in itertools.product(*vary.values())]
    tasks = [(point, seed, *_with(system, workload, point), faults) for point in points for seed in seeds]
    rows = [None] * len(tasks)
    workers = min(os.cpu_count() or 1, max(len(tasks), 1))
    with nullcontext(executor) if executor else ProcessPoolExecutor(workers) as pool:
        futures = {pool.submit(_measure, *task[1:]): number for number, task in enumerate(tasks)}
        for future in _shown(as_completed(futures), len(tasks), progress):
            number = futures[future]
            rows[number] = tasks[number][0] | {"seed": tasks[number][1]} | future.result()
    return Sweep(tuple(vary), rows)


def _with(system, workload, point: Mapping[str, object]) -> tuple:
    """The system and the workload with these settings; an unknown setting is refused by name."""
    for path, value in point.items():
        if path.startswith("workload."):
            workload = _set(workload, path.removeprefix("workload."), value, path)
        else:
            system = _set(system, path, value, path)
    return system, workload


def _set(config, path: str, value, full: str):
    name, _, rest = path.partition(".")
    known = getattr(config, "__dataclass_fields__", {})
    check("vary", full, name in known, f"a setting; {type(config).__name__} has {', '.join(known) or 'none'}")
    if rest:
        value = _set(getattr(config, name), rest, value, full)
    return replace(config, **{name: value})


def _faults(faults) -> tuple[Fault, ...]:
    several = tuple(faults) if isinstance(faults, Iterable) else (faults,)
    check("faults", faults, isinstance(faults, Iterable) and all(isinstance(fault, Fault) for fault in several),
          "a list of faults, such as [faults.crash('broker-1', at=20, lasts=15)]")
    return several


def _seeds(seeds) -> list[int]:
    several = list(range(seeds)) if is_whole(seeds) else list(seeds) if isinstance(seeds, Iterable) else []
    check("seeds", seeds, several and all(map(is_whole, several)), "a number of seeds, at least 1, or a list of them")
    return several


def _measure(seed: int, system, workload: Workload, faults: tuple[Fault, ...]) -> dict[str, float]:
    """One run's figures; the run itself stays in the process that made it."""
    return simulate(system, workload, faults=faults, seed=seed, trace=False).figures()


def _shown(futures, total: int, progress: bool):
    """A progress bar on standard output: plain text in a notebook, and no dead widget in a saved one."""
    if not progress:
        return futures
    from tqdm import tqdm
    return tqdm(futures, total=total, unit="run", file=sys.stdout, leave=False)


@contextmanager
def _no_garbage_collection():
    """A run makes millions of small objects and hardly a cycle: looking for cycles would cost a seventh of its time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
