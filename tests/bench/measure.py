"""What is measured, and how: the best of several turns, since all else a machine does only makes things slower."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple

import psutil

from simulator import Workload, kafka, simulate, sweep, warpstream
from simulator.brokers.kafka.control import failover

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
    run = simulate(kafka.Cluster(partitions=PARTITIONS),
                   Workload(rate=RATE, record_bytes=RECORD_BYTES, seconds=records / RATE), seed=7, trace=trace)
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


# The control plane

def fail_over_time() -> Time:
    """How long the fail-over curve of both eras takes, from a thousand partitions to two million."""
    return Time.of(lambda: failover.curve({"KRaft": kafka.KRaft(), "ZooKeeper": kafka.ZooKeeper()},
                                          failover.GRID, seeds=20))


# Consumer groups

PROTOCOLS = ("eager", "cooperative", "static", "consumer")


def rebalance_run(protocol: str, members: int = 100, partitions: int = 1_000):
    """One more member joins the others; the run ends once every record is delivered and committed."""
    group = kafka.Group(partitions, protocol, events=(kafka.groups.join(f"consumer-{members}", at=10),),
                        poll_timeout=1.0)
    run = simulate(group, Workload(rate=1_000, seconds=20, consumers=members), seed=7)
    assert kafka.groups.owners_at_once(run.trace) == 1 and kafka.groups.time_to_stable(run.trace, since=10) < 20
    return run


def rebalance_time() -> Time:
    """How long it takes to simulate that under all four protocols."""
    return Time.of(lambda: [rebalance_run(protocol) for protocol in PROTOCOLS])


# A log on object storage

def warpstream_run(seconds: float = 60.0):
    """Twenty agents take 1 GB/s in records of 10 kB; everything is read in three zones."""
    cluster = warpstream.Cluster(agents=20, producers=20, linger=0.1)
    return simulate(cluster, Workload(rate=1e5, record_bytes=10_000, seconds=seconds, keys=600, consumers=6),
                    seed=7, trace=False)


def warpstream_time() -> Time:
    """How long it takes to simulate that; the history is checked afterwards, and that is not counted."""
    runs = []
    time = Time.of(lambda: runs.append(warpstream_run()))
    assert runs[0].check().ok and runs[0].history.records_sent() > 5.9e6
    return time


# Memory

def bytes_a_record(few: int, many: int, trace: bool = True) -> float:
    """What each further record adds to the peak of a process that runs and checks."""
    return (_peak(many, trace) - _peak(few, trace)) / (many - few)


def _peak(records: int, trace: bool) -> int:
    code = (f"from tests.bench.measure import kafka_run, own_peak; run = kafka_run({records}, {trace}); "
            "print(own_peak())")
    return int(subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                              check=True).stdout)


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
    """How much faster two processes are than one: by the clock, and as if each had a processor for itself."""
    with ProcessPoolExecutor(1) as one, two_processes() as two:
        sweep_of_twelve(one)
        shares: list[float] = []
        alone, together = in_turns(turns, lambda: Time.of(lambda: sweep_of_twelve(one)),
                                   lambda: Time.of(lambda: shares.append(shared(two))))
    return alone.wall / together.wall, max(shares)


@contextmanager
def two_processes() -> Iterator[ProcessPoolExecutor]:
    """Two processes that have begun to work."""
    with ProcessPoolExecutor(2) as pool:
        sweep_of_twelve(pool)
        yield pool


def shared(pool: ProcessPoolExecutor) -> float:
    """All the processor time of a sweep, over that of the busiest worker and of the process that hands out the work."""
    workers = [psutil.Process(pid) for pid in pool._processes]
    before = [_processor_time(worker) for worker in workers]
    at_home = Time.of(lambda: sweep_of_twelve(pool)).processor
    spent = [_processor_time(worker) - start for worker, start in zip(workers, before)]
    return (sum(spent) + at_home) / (max(spent) + at_home)


def _processor_time(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
