"""What is measured, and how: the best of several turns, because whatever else a machine does only makes things slower."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple

import psutil

from simulator import Workload, kafka, simulate, sweep

from .reference import Reference

ROOT = Path(__file__).parents[2]
RATE, RECORD_BYTES, PARTITIONS = 100_000, 100, 12


class Time(NamedTuple):
    """Seconds by the clock, and seconds of one processor: the second is what the first would be on an idle machine."""
    wall: float
    processor: float

    @classmethod
    def of(cls, work: Callable[[], object]) -> Time:
        """How long the work takes."""
        gc.collect()
        wall, processor = perf_counter(), process_time()
        work()
        return cls(perf_counter() - wall, process_time() - processor)

    def per(self, count: int) -> Time:
        return Time(self.wall / count, self.processor / count)


def best(times: list[Time]) -> Time:
    """The best of several turns, each column for itself."""
    return Time(min(time.wall for time in times), min(time.processor for time in times))


def in_turns(turns: int, *works: Callable[[], Time]) -> list[Time]:
    """The best of each work; they take turns, so that a busy minute does not hit only one of them."""
    rounds = [[work() for work in works] for _ in range(turns)]
    return [best([times[number] for times in rounds]) for number in range(len(works))]


# Replicated Kafka, history kept and checked

def kafka_run(records: int, trace: bool = True):
    """A run of about this many records through three brokers with acks=all; its history, checked."""
    run = simulate(kafka.Cluster(partitions=PARTITIONS), Workload(rate=RATE, record_bytes=RECORD_BYTES, seconds=records / RATE),
                   seed=7, trace=trace)
    assert run.check().ok and run.history.records_sent() > 0.9 * records
    return run


def kafka_time(records: int, trace: bool = True) -> Time:
    """Time per record."""
    return Time.of(lambda: kafka_run(records, trace)).per(records)


def reference_time(records: int) -> Time:
    """Time per record of the plain SimPy model, with the garbage collector off as in `simulate`."""
    gc.disable()
    try:
        return Time.of(lambda: Reference(RATE, seconds=records / RATE).run()).per(records)
    finally:
        gc.enable()


# Memory

def bytes_a_record(few: int, many: int, trace: bool = True) -> float:
    """What each further record adds to the peak of a process that runs and checks."""
    return (_peak(many, trace) - _peak(few, trace)) / (many - few)


def _peak(records: int, trace: bool) -> int:
    code = f"from tests.bench.measure import kafka_run, own_peak; run = kafka_run({records}, {trace}); print(own_peak())"
    return int(subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def own_peak() -> int:
    """The largest amount of memory this process has had, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # on Linux, getrusage would tell the parent's peak if that is larger
        return 1024 * next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    import resource
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


# Two processes

def sweep_of_twelve(pool: ProcessPoolExecutor) -> None:
    """A dozen equal runs of 10,000 records."""
    workload = Workload(rate=5_000, record_bytes=RECORD_BYTES, seconds=2)
    sweep(kafka.Cluster(), workload, {"min_insync": [1, 2]}, seeds=6, executor=pool, progress=False)


def speed_up(turns: int) -> tuple[float, float]:
    """How much faster two processes are than one: by the clock, and as it would be if each had a processor for itself.

    The second is all processor time, of the workers and of the process that hands out the work, over that of the busier worker and
    the process that hands out the work.
    """
    with ProcessPoolExecutor(1) as one, ProcessPoolExecutor(2) as two:
        for pool in (one, two):
            sweep_of_twelve(pool)
        workers = [psutil.Process(pid) for pid in two._processes]
        before = [_processor_time(worker) for worker in workers]
        alone, together = in_turns(turns, lambda: Time.of(lambda: sweep_of_twelve(one)), lambda: Time.of(lambda: sweep_of_twelve(two)))
        spent = [_processor_time(worker) - start for worker, start in zip(workers, before)]
        at_home = together.processor * turns
    return alone.wall / together.wall, (sum(spent) + at_home) / (max(spent) + at_home)


def _processor_time(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


# From a control to its picture

def controls() -> Iterator[tuple[str, Callable, dict]]:
    """Every control of every chapter: (chapter and function, the function, its settings one after the other)."""
    sys.path.insert(0, str(ROOT / "chapters"))
    from classroom import notebooks
    for source in sorted((ROOT / "chapters").glob("*.md")):
        cells = [cell.source for cell in notebooks.read(source).cells if cell.cell_type == "code"]
        for cell in cells:
            if "explore(" in cell and not cell.startswith("from "):
                found: list = []
                names: dict = {}
                exec(next(cell for cell in cells if "import" in cell), names)
                names["explore"] = lambda draw, **knobs: found.append((draw, knobs))
                exec(cell, names)
                for draw, knobs in found:
                    yield f"{source.stem}: {draw.__name__}", draw, knobs


def picture_times(turns: int = 3) -> dict[str, Time]:
    """From a moved control to the bytes of the new picture, at the slowest end of every control; the first picture warms up."""
    from classroom.explorables import outcome
    slowest = {}
    for name, draw, knobs in controls():
        def drawn(settings):
            result = outcome(draw, settings)
            getattr(result, "_repr_mimebundle_", lambda **_: None)(include=None, exclude=None)
        settings = [{knob: value} for knob, spec in knobs.items() for value in _ends(spec)]
        drawn(settings[0])
        times = [in_turns(turns, lambda: Time.of(lambda: drawn(setting)))[0] for setting in settings]
        slowest[name] = max(times, key=lambda time: time.processor)
    return slowest


def _ends(spec) -> list:
    if isinstance(spec, bool):
        return [True, False]
    return [spec[0], spec[-1]] if isinstance(spec, list) else [spec[0], spec[1]]
