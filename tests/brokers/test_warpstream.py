"""A log on object storage: the path of a record, its bill in requests and zones, and what is refused."""
from dataclasses import replace

import numpy as np
import pytest

from simulator import Workload, faults, simulate, warpstream
from simulator.brokers.warpstream.calibration import PUBLISHED, SYSTEMS, WORKLOAD
from simulator.kernel.network import NetworkProfile
from simulator.kernel.objectstore import StoreProfile

STILL = warpstream.Cluster(store=StoreProfile(0.03, 0.1, 0.1, 0.1, 0.1), metadata=0.02,
                           network=NetworkProfile.instant(), agents=1, zones=1, producers=1, partitions=1, linger=0.0,
                           compaction_interval=None)
STEADY = Workload(rate=200, record_bytes=1_000, seconds=20, keys=50, consumers=3)


def times(run, kind: str) -> list[float]:
    return run.trace.events.rows["time"][run.trace.where(kind)].tolist()


# The path of a record

def test_a_record_waits_for_its_file_its_put_and_its_commit():
    run = simulate(STILL, Workload(rate=1, seconds=1.5, arrivals="even", keys=None))
    assert run.latency.seconds == pytest.approx([0.25 + 0.1 + 0.02])
    assert run.end_to_end.seconds == pytest.approx([0.25 + 0.1 + 0.02 + 0.03])  # a question was waiting: one GET more


def test_lightning_saves_the_commit():
    run = simulate(replace(STILL, lightning=True), Workload(rate=1, seconds=1.5, arrivals="even", keys=None))
    assert run.latency.seconds == pytest.approx([0.25 + 0.1]) and run.end_to_end.seconds == pytest.approx([0.4])
    assert (run.history.sends.rows["offset"] == -1).all()  # nobody knows it yet


def test_a_file_is_closed_by_size_before_its_time():
    run = simulate(replace(STILL, batch_bytes=5_000), Workload(rate=100, seconds=2, arrivals="even", keys=None))
    assert run.meters.counts["object-store PUT requests"] == 200 / 5
    assert run.latency.seconds.max() == pytest.approx(0.04 + 0.12)


def test_files_are_written_in_parallel_and_committed_in_order():
    run = simulate(warpstream.Cluster(batch_timeout=0.02), STEADY, seed=3)
    rows = run.trace.events.rows
    for agent in range(6):
        written = [run.trace.notes[e] for e in run.trace.where("written", node=f"agent-{agent + 1}")]
        asked = rows[run.trace.where("commit", node=f"agent-{agent + 1}")]["cause"]
        committed = [run.trace.notes[e] for e in asked]
        assert committed == sorted(committed)
        if written != sorted(written):
            break
    else:
        pytest.fail("no file overtook another on its way: this proves nothing")


def test_no_partition_has_a_leader():
    """Every agent commits records of every partition, and offsets are dense all the same."""
    run = simulate(warpstream.Cluster(producers=6), STEADY, seed=1)
    assert run.check().ok and {row["peer"] for row in run.trace.events.rows[run.trace.where("produce")]} == set(
        run.trace.events.rows[run.trace.where("commit")]["node"])
    for key in range(6):
        rows = run.history.sends.rows[run.history.sends.rows["key"] == key]
        at = np.sort(np.concatenate([np.arange(r["offset"], r["offset"] + r["count"]) for r in rows]))
        assert at.tolist() == list(range(len(at)))


# What it costs

def test_clients_that_stay_in_their_zone_cross_none():
    near, far = (simulate(warpstream.Cluster(zone_aligned=aligned, producers=18), replace(STEADY, consumers=6),
                          seed=2, trace=False)
                 for aligned in (True, False))
    produced = 1_000 * near.history.records_sent()
    metadata = near.meters.cross_zone_bytes()
    assert metadata < 0.4 * produced   # 200 kB a second in small batches; at 10 MB a second it is 3 %
    assert 0.8 < far.meters.cross_zone_bytes() / produced < 2.2   # two ways at two thirds, and 24 clients drew lots


def test_a_file_is_read_once_a_zone():
    run = simulate(warpstream.Cluster(compaction_interval=None), replace(STEADY, consumers=6), seed=2, trace=False)
    counts = run.meters.counts
    assert 2.9 < counts["object-store GET requests"] / counts["object-store PUT requests"] <= 3 < counts["cache hits"]


def test_a_smaller_window_is_more_requests():
    puts = [simulate(warpstream.Cluster(batch_timeout=window), STEADY, seed=2,
                     trace=False).meters.counts["object-store PUT requests"]
            for window in (0.5, 0.25, 0.05)]
    assert puts[0] < puts[1] < puts[2] and puts[2] > 2.5 * puts[1]


def test_compaction_leaves_few_files_and_all_records():
    busy = simulate(warpstream.Cluster(compaction_interval=2.0, scan_interval=5.0), replace(STEADY, seconds=40), seed=2)
    lazy = simulate(warpstream.Cluster(compaction_interval=None), replace(STEADY, seconds=40), seed=2)
    assert busy.check().ok and busy.meters.counts["compactions"] > 10
    assert busy.meters.integrals["object-store byte-seconds"] < 2.5 * lazy.meters.integrals["object-store byte-seconds"]
    assert busy.meters.counts["object-store DELETE requests"] > 200


def test_express_writes_a_majority_of_three_buckets():
    express = warpstream.Cluster(store="s3-express", batch_timeout=0.05, compaction_interval=None)
    run = simulate(express, STEADY, seed=2)
    counts = run.meters.counts
    assert counts["object-store PUT requests"] == 3 * counts["object-store-a PUT requests"] > 0
    gone = simulate(express, STEADY, faults=[faults.power_loss("object-store-b", at=5)], seed=2)
    assert gone.check().ok and gone.history.records_sent() == run.history.records_sent()


def test_without_a_majority_nothing_is_acknowledged_until_it_is_back():
    express = warpstream.Cluster(store="s3-express", batch_timeout=0.05, compaction_interval=None)
    run = simulate(express, STEADY, faults=[faults.crash(f"object-store-{zone}", at=5, lasts=4) for zone in "ab"],
                   seed=2)
    done = run.history.sends.rows["completed"]
    assert run.check().ok and not np.any((done > 5.2) & (done < 9))


# Published latencies

@pytest.fixture(scope="module")
def calibration():
    return {name: simulate(system, WORKLOAD, seed=7, trace=False) for name, system in SYSTEMS.items()}


def measured(calibration, figure) -> float:
    run = calibration[figure.system]
    return getattr(run.latency if figure.what == "produce" else run.end_to_end, figure.percentile)


def test_produce_latencies_are_the_published_ones(calibration, capsys):
    """Within 15 %, but for one: the documentation's p99 of 500 ms, where the vendor's own later text says 400."""
    lines, off = [], []
    for figure in PUBLISHED:
        value = measured(calibration, figure)
        error = value / figure.value - 1
        lines.append(f"{figure.system:<30}{figure.what:<12}{figure.percentile}  model {1000 * value:4.0f} ms  "
                     f"published {'<' if figure.bound else ' '}{1000 * figure.value:4.0f} ms  {100 * error:+4.0f} %")
        if figure.what == "produce" and abs(error) > 0.15:
            off.append((figure.system, figure.percentile, figure.value))
    with capsys.disabled():
        print("", *lines, sep="\n")
    assert off == [("250 ms, S3 Standard", "p99", 0.500)]


def test_published_bounds_hold(calibration):
    assert all(measured(calibration, figure) < figure.value for figure in PUBLISHED if figure.bound)


def test_end_to_end_is_too_fast_and_the_docstring_says_so(calibration):
    """Not met, not fitted: if this fails because the model has come closer, its docstring has to change."""
    errors = [measured(calibration, f) / f.value - 1 for f in PUBLISHED if f.what == "end to end"]
    assert all(-0.65 < error < -0.2 for error in errors)


# What is refused

@pytest.mark.parametrize("settings, said", [
    ({"agents": 2}, "agents: 2 is not allowed; it must be a whole number, at least 3"),
    ({"zones": 0}, "zones: 0 is not allowed; it must be a whole number, at least 1"),
    ({"zones": 7, "agents": 7}, "zones: 7 is not allowed; it must be at most 6"),
    ({"batch_timeout": 0}, "batch_timeout: 0 is not allowed; it must be a number of seconds, greater than 0"),
    ({"batch_bytes": 2.5}, "batch_bytes: 2.5 is not allowed; it must be a whole number, at least 1"),
    ({"linger": -1}, "linger: -1 is not allowed; it must be a number of seconds, at least 0"),
    ({"store": "s4"}, "profile: 's4' is not allowed; it must be one of s3-standard, s3-standard-fleet, s3-express"),
    ({"store": 3}, "store: 3 is not allowed; it must be a StoreProfile"),
    ({"diskless": "kip-1163"}, "diskless: 'kip-1163' is not allowed; it must be 'warpstream' or 'kip-1150'"),
    ({"lightning": 1}, "lightning: 1 is not allowed; it must be True or False"),
    ({"metadata": -0.1}, "metadata: -0.1 is not a number of seconds (at least 0) or a distribution"),
    ({"compaction_interval": 0}, "compaction_interval: 0 is not allowed; it must be a number of seconds, greater than "
                                 "0"),
])
def test_bad_input_is_refused_in_one_sentence(settings, said):
    with pytest.raises(ValueError) as refusal:
        warpstream.Cluster(**settings)
    assert str(refusal.value) == said


def test_it_says_what_differs_from_the_defaults():
    assert str(warpstream.Cluster(agents=9, lightning=True)) == "WarpStream(agents=9, lightning=True)"
    assert str(warpstream.Cluster(diskless="kip-1150")) == "Diskless(diskless='kip-1150')"
    run = simulate(warpstream.Cluster(diskless="kip-1150"), replace(STEADY, seconds=2))
    assert {"broker-1", "diskless-coordinator"} <= {node.name for node in run.trace.nodes}
