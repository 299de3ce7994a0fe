"""What may be asserted on any machine, however busy: ratios within one run, in processor time.

`make bench` prints the numbers.
"""
import os
from statistics import mean

import pytest

from simulator import Workload, kafka, simulate

from .measure import (PARTITIONS, RATE, RECORD_BYTES, bytes_a_record, in_turns, kafka_time, reference_time, shared,
                      two_processes)
from .pictures import RECORDS, picture_times
from .reference import Reference


def test_the_reference_walks_the_same_path():
    """Otherwise the comparison would be worth nothing: same arrivals, same waits, same hops."""
    records = Reference(RATE, seconds=0.3).run()
    model = simulate(kafka.Cluster(partitions=PARTITIONS),
                     Workload(rate=RATE, record_bytes=RECORD_BYTES, seconds=0.3), seed=7)
    assert len(records) == pytest.approx(model.latency.n, rel=0.05)
    assert mean(record.acknowledged - record.created
                for record in records) == pytest.approx(model.latency.mean, rel=0.1)
    assert mean(record.delivered - record.created
                for record in records) == pytest.approx(model.end_to_end.mean, rel=0.1)


def test_at_least_eight_times_a_process_a_record():
    plain, kafka = in_turns(3, lambda: reference_time(5_000), lambda: kafka_time(100_000))
    assert plain.processor / kafka.processor >= 8


def test_time_a_record_does_not_grow_with_the_run():
    short, long = in_turns(2, lambda: kafka_time(100_000, trace=False), lambda: kafka_time(1_000_000, trace=False))
    assert long.processor / short.processor <= 1.4


def test_memory_a_record():
    assert bytes_a_record(100_000, 500_000) <= 150


def test_every_control_of_every_chapter_draws_in_time():
    """The best of three turns, because whatever else a machine does only makes things slower."""
    times = picture_times(turns=3)
    assert len(times) > 20
    slow = {name: time.processor for name, (time, plain) in times.items()
            if time.processor >= RECORDS * plain.processor}
    assert slow == {}


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="this machine has one processor; two processes need two")
def test_two_processes_share_the_work():
    """One turn is enough if it succeeds: on a busy machine one of the two may hardly get to work."""
    with two_processes() as pool:
        assert any(shared(pool) >= 1.3 for _ in range(3))
