"""Prints what was measured beside what is wanted: `make bench`, or `python -m tests.bench [--quick | --full]`.

--quick takes a minute and leaves out a million records; --full adds ten million, for which two gigabytes should be
free, a thousand random schedules a protocol, and gradings of everything in the exercises. Of the two columns the second
is processor time: what the clock would show if nobody else used the machine. It is the one that is judged.
"""

import argparse
import os
import sys

from exercises.grader.grading import available

from .measure import (bytes_a_record, fail_over_time, in_turns, kafka_time, rebalance_time, reference_time, speed_up,
                      warpstream_time)
from .pictures import picture_times
from .schedules import PROTOCOLS, broken
from ..exercises.graded import misjudged

LAYOUT = "{:<66} {:>14} {:>14}   {:<20} {}"


def main(quick: bool, full: bool) -> None:
    """Measures and prints, row by row."""
    turns = 2 if quick else 5
    print(LAYOUT.format("", "by the clock", "processor", "wanted", ""))
    speed(turns)
    for records in [1_000_000] * (not quick) + [10_000_000] * full:
        growth(records, turns if records < 10_000_000 else 2)
    memory(300_000 if quick else 1_000_000)
    time = in_turns(min(turns, 2), fail_over_time)[0]
    row("fail-over curve to 2,000,000 partitions, both eras (s)", f"{time.wall:.1f}", f"{time.processor:.1f}",
        "under 10", time.processor < 10)
    time = in_turns(min(turns, 2), rebalance_time)[0]
    row("rebalance of 100 consumers, 1,000 partitions, 4 protocols (s)", f"{time.wall:.1f}", f"{time.processor:.1f}",
        "under 2", time.processor < 2)
    time = in_turns(min(turns, 2), warpstream_time)[0]
    row("WarpStream, 20 agents, 60 s of 1 GB/s in 10 kB records (s)", f"{time.wall:.1f}", f"{time.processor:.1f}",
        "under 5", time.processor < 5)
    if full:
        for name in PROTOCOLS:
            bad = list(broken(name))
            row(f"1,000 random schedules, {name}: breaking a promise", f"{bad or 'none'}", "", "none", not bad)
        for exercise in available():
            bad = [(seed, *each) for seed in range(3) for each in misjudged(exercise, (seed, seed + 100))]
            row(f"exercise {exercise}, three gradings of everybody: misjudged", f"{bad or 'none'}", "", "none", not bad)
    for name, (time, _) in picture_times(turns=3).items():
        row(f"control to picture, {name} (ms)", f"{time.wall * 1e3:.0f}", f"{time.processor * 1e3:.0f}", "under 300",
            time.processor < 0.3)
    if (os.cpu_count() or 1) > 1:
        clock, processor = speed_up(turns)
        row("sweep, two processes over one", f"{clock:.2f}", f"{processor:.2f}", "at least 1.7", processor >= 1.7)


def speed(turns: int) -> None:
    """Records a second, and how that compares."""
    plain, traced, untraced = in_turns(turns, lambda: reference_time(20_000), lambda: kafka_time(100_000),
                                       lambda: kafka_time(100_000, False))
    for what, time, wanted in (("Kafka, history kept and checked (records/s)", untraced, 1_000_000),
                               ("  the same with its trace", traced, None),
                               ("a SimPy process a record and hop (records/s)", plain, None)):
        row(what, f"{1 / time.wall:,.0f}", f"{1 / time.processor:,.0f}", f"{wanted:,}" if wanted else "",
            wanted and 1 / time.processor >= wanted)
    ratio = plain.processor / untraced.processor
    row("  ratio of the first to the last", f"{plain.wall / untraced.wall:.0f}", f"{ratio:.0f}",
        "at least 8", ratio >= 8)


def growth(records: int, turns: int) -> None:
    """Time a record in a long run over that in a short one."""
    short, long = in_turns(turns, lambda: kafka_time(100_000, False), lambda: kafka_time(records, False))
    ratio = long.processor / short.processor
    row(f"time a record, {records:,} over 100,000 records", f"{long.wall / short.wall:.2f}", f"{ratio:.2f}",
        "0.8 to 1.2", 0.8 <= ratio <= 1.2)


def memory(records: int) -> None:
    """Bytes a record, without and with a trace."""
    for what, trace in (("memory a record (bytes)", False), ("  the same with its trace", True)):
        amount = bytes_a_record(100_000, records, trace)
        row(what, f"{amount:.0f}", "", "at most 150", amount <= 150)


def row(what: str, clock: str, processor: str, wanted: str, reached: bool | None) -> None:
    """One line of the table."""
    print(LAYOUT.format(what, clock, processor, wanted, {True: "reached", False: "not reached", None: ""}[reached]),
          flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer turns, and without a million records")
    parser.add_argument("--full", action="store_true",
                        help="also ten million records, a thousand schedules a protocol, three gradings of all")
    arguments = parser.parse_args()
    sys.exit(main(arguments.quick, arguments.full))
