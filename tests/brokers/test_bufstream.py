"""Brokers that look at records: what is refused, who dies, who notices, and the two bugs of version 0.1.0."""
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from simulator import Workload, bufstream, faults, simulate, warpstream
from simulator.brokers.bufstream.config import PLACES
from simulator.evidence.history import FAIL

from . import bufstream_schedules as schedules

STEADY = Workload(rate=100, record_bytes=500, seconds=20, keys=50, consumers=3)
SCHEMA, VALUES = bufstream.Release(), bufstream.Release(what="values")


def run(*checks, release=SCHEMA, trouble=(), **settings):
    return simulate(bufstream.Cluster(checks=checks, release=release, **settings), STEADY, faults=trouble, seed=7)


def refused(run) -> int:
    rows = run.history.sends.rows
    return int(rows["count"][rows["type"] == FAIL].sum())


def delivered(run) -> int:
    return run.end_to_end.n


# The engine

def test_without_a_schema_it_is_the_same_engine():
    """Other names, sessions, another database; the same records at the same offsets after the same waits."""
    same = dict(metadata=0.02, batch_timeout=0.25)
    log, other = (simulate(of.Cluster(**same), STEADY, seed=3) for of in (warpstream, bufstream))
    assert log.latency.n == other.latency.n and log.latency.p50 == pytest.approx(other.latency.p50, rel=0.05)
    assert {"broker-1", "database"} <= {node.name for node in other.trace.nodes}
    puts = [r.meters.counts["object-store PUT requests"] for r in (log, other)]
    assert puts[0] == pytest.approx(puts[1], rel=0.03)


def test_end_to_end_is_within_a_quarter_of_what_the_vendor_measured():
    """At a linger of 100 ms (buf.build/docs/bufstream/cost); only the delay of files was chosen for it."""
    fast = simulate(bufstream.Cluster(linger=0.1, producers=12, compaction_interval=None),
                    Workload(rate=1_500, record_bytes=20_000, seconds=10, consumers=6), seed=7, trace=False)
    assert (fast.end_to_end.p50, fast.end_to_end.p99) == pytest.approx((0.260, 0.500), rel=0.25)


# Where the check sits

def test_nobody_looks_and_the_consumers_die_of_it():
    poisoned = run()
    counts = poisoned.meters.counts
    assert counts["poison records stored"] == counts["poison records skipped"] > 5 and refused(poisoned) == 0
    assert counts["consumer crashes"] > 30 and poisoned.check().ok
    assert poisoned.end_to_end.seconds.max() > 25     # conforming records behind it wait until somebody comes


def test_what_lies_before_the_bad_record_is_read_and_what_lies_behind_it_waits():
    """At a death in batches of several, all below the offset that killed has been delivered, and nothing else."""
    lingering = run(linger=0.5)
    trace, rows = lingering.trace, lingering.trace.events.rows
    got, inside = np.zeros(6, int), 0
    for event in trace.where("deliver", "poisoned").tolist():
        row = rows[event]
        if trace.kinds[row["kind"]].name == "deliver":
            got[row["key"]] = row["offset"] + row["count"]
        else:
            assert row["offset"] == got[row["key"]]
            inside += rows["kind"][event - 1] == trace.code("deliver")
    assert inside > 0     # else no bad record lay within a batch


def test_what_was_made_before_the_release_conforms():
    rows = run("producer", release=replace(VALUES, share=1.0)).history.sends.rows
    made = rows["invoked"][rows["type"] == FAIL]
    assert len(made) > 300 and made.min() >= 5.0 and (rows["process"][rows["type"] == FAIL] == 0).all()


def test_a_consumer_that_skips_goes_on():
    counts = (skipping := run(on_poison="skip")).meters.counts
    assert counts["consumer crashes"] == 0 and counts["poison records skipped"] == counts["poison records stored"] > 5
    assert skipping.end_to_end.seconds.max() < 2


def test_a_dead_consumer_reads_nothing_twice_and_skips_nothing_when_it_comes_back():
    checked = run(trouble=[faults.crash("consumer-2", at=9, lasts=4)])
    assert checked.check().ok and delivered(checked) == checked.latency.n
    assert not any(verdict.cases for verdict in checked.check().verdicts.values())


@pytest.mark.parametrize("place", PLACES)
def test_whoever_looks_keeps_poison_out_of_the_log(place):
    checked = run(place)
    assert checked.meters.counts["poison records stored"] == checked.meters.counts["consumer crashes"] == 0
    assert checked.check().ok and delivered(checked) == checked.latency.n


def test_ci_sees_schemas_and_no_values():
    assert run("ci").meters.counts["records refused"] == 0
    assert run("ci", release=VALUES).meters.counts["poison records stored"] > 5


def test_a_producer_without_the_library_gets_past_it_and_not_past_the_broker():
    bypass = replace(VALUES, library=False)
    assert run("producer", release=bypass).meters.counts["poison records stored"] > 5
    assert run("producer", "broker", release=bypass).meters.counts["poison records stored"] == 0


def test_a_library_refuses_records_and_a_broker_whole_batches():
    library, broker = run("producer", linger=0.5), run("broker", linger=0.5)
    bad = library.meters.counts["records refused"]
    assert library.meters.counts["conforming records refused"] == 0
    company = broker.meters.counts["conforming records refused"]
    assert broker.meters.counts["records refused"] == bad + company > 1.5 * bad
    for checked in (library, broker):
        assert refused(checked) == checked.meters.counts["records refused"]


def test_a_refused_batch_takes_nothing_of_its_request_along():
    """The other batches of the same requests are acknowledged, and what was refused costs no bytes."""
    checked, all_taken = run("broker", release=replace(VALUES, share=1.0, producer=2)), run("broker", release=None)
    assert checked.latency.n + refused(checked) == all_taken.latency.n
    written = [r.meters.counts["object-store bytes written"] for r in (checked, all_taken)]
    assert written[0] < 0.8 * written[1]
    mixed = run("broker", release=replace(VALUES, share=0.2), linger=0.2)
    assert set(mixed.history.sends.rows["type"][mixed.history.sends.rows["process"] == 0]) == {0, FAIL}


def test_conforming_neighbours_are_refused_as_arithmetic_says():
    """Of conforming records whose batch holds n others, 1 - (1 - p)^n are refused; batches of a fixed size, p = 0.1."""
    even = Workload(rate=90, seconds=60, arrivals="even", keys=None, record_bytes=500)
    system = bufstream.Cluster(brokers=1, zones=1, partitions=1, producers=1, linger=0.1, checks=("broker",),
                               release=bufstream.Release(at=0, share=0.1))
    checked = simulate(system, even, seed=7, trace=False)
    sizes = np.bincount(checked.history.sends.rows["count"])
    size = int(sizes.argmax())
    assert sizes[size] > 0.9 * sizes.sum()
    conforming = 0.9 * even.rate * even.seconds
    share = checked.meters.counts["conforming records refused"] / conforming
    assert share == pytest.approx(1 - 0.9 ** (size - 1), rel=0.1)


# The switch

def test_a_database_that_pauses_makes_0_1_0_give_out_offset_zero():
    still = [faults.pause("database", at=8, lasts=2)]
    good, bad = (run(release=None, trouble=still, version=version) for version in ("0.1.3", "0.1.0"))
    assert good.check().ok and not good.check().verdicts["inconsistent offset"].cases
    assert bad.check().verdicts["inconsistent offset"].cases and not bad.check().ok
    told = bad.history.acknowledged()
    assert (told["offset"][told["completed"] > 8.5] == 0).any() and len(bad.trace.where("zero")) > 0


def test_a_broker_that_paused_too_long_serves_nothing_for_good_in_0_1_0():
    """The judge of safety finds nothing wrong: a consumer that is never served loses no record."""
    still = [faults.pause("broker-1", at=5, lasts=12)]
    good, bad = (run(release=None, trouble=still, version=version) for version in ("0.1.3", "0.1.0"))
    assert delivered(good) == good.latency.n and len(good.trace.where("expired")) > 0
    assert bad.check().ok and delivered(bad) < 0.8 * bad.latency.n and bad.seconds > 150
    helped = run(release=None, trouble=[*still, faults.crash("broker-1", at=60, lasts=1)], version="0.1.0")
    assert delivered(helped) == helped.latency.n and helped.end_to_end.seconds.max() > 40


@pytest.mark.parametrize("trouble", [faults.pause("broker-1", at=5, lasts=4), faults.crash("database", at=5, lasts=12)])
def test_a_shorter_pause_ends_no_session_nor_does_a_database_that_was_away(trouble):
    short = run(release=None, trouble=[trouble])
    assert delivered(short) == short.latency.n
    assert len(short.trace.where("renewed")) > 0 == len(short.trace.where("expired"))


# Random schedules

COUNTED = ("records refused", "conforming records refused", "poison records stored", "consumer crashes", "orphans")


def test_what_is_refused_is_nowhere_and_what_is_acknowledged_is_read():
    """A thousand seeds take half a minute: `python -m tests.bench --full` runs them."""
    happened = Counter()
    for seed in range(50):
        checked = schedules.run(seed)
        assert schedules.broken(checked) == [], f"seed {seed}"
        happened.update({name: int(checked.meters.counts[name]) for name in COUNTED})
    assert min(happened.values()) > 20, happened      # else the schedules prove nothing


def test_the_schedules_reach_every_rule():
    kinds = ("invalid", "rejected", "kept_back", "stopped", "poisoned", "skipped", "repaired", "expired", "refused",
             "deduplicated")
    found = Counter()
    for seed in range(25):
        checked = schedules.run(seed, trace=True)
        found.update({kind: len(checked.trace.where(kind)) for kind in kinds})
    assert all(found[kind] for kind in kinds), found


def test_the_same_schedules_find_both_bugs():
    runs = [schedules.run(seed, version="0.1.0", release=None, checks=()) for seed in range(12)]
    assert any(r.check().verdicts["inconsistent offset"].cases for r in runs)
    assert any(delivered(r) < r.latency.n and r.seconds > 60 for r in runs)


# What is refused

A_TUPLE = "a tuple of places, any of 'ci', 'producer', 'broker'"


@pytest.mark.parametrize("settings, said", [
    ({"brokers": 2}, "brokers: 2 is not allowed; it must be a whole number, at least 3"),
    ({"zones": 0}, "zones: 0 is not allowed; it must be a whole number, at least 1"),
    ({"checks": "broker"}, f"checks: 'broker' is not allowed; it must be {A_TUPLE}"),
    ({"checks": ("consumer",)}, f"checks: ('consumer',) is not allowed; it must be {A_TUPLE}"),
    ({"release": "v2"}, "release: 'v2' is not allowed; it must be a Release"),
    ({"release": bufstream.Release(producer=4)},
     "release: Release(what='schema', producer=4, at=5.0, share=0.05, library=True) is not allowed; it must be one of "
     "a producer from 1 to 3"),
    ({"on_poison": "retry"}, "on_poison: 'retry' is not allowed; it must be 'crash' or 'skip'"),
    ({"restart_delay": 0}, "restart_delay: 0 is not allowed; it must be a number of seconds, greater than 0"),
    ({"repair_time": -1}, "repair_time: -1 is not allowed; it must be a number of seconds, at least 0"),
    ({"version": "0.1.2"}, "version: '0.1.2' is not allowed; it must be '0.1.0' or '0.1.3'"),
    ({"session_ttl": None}, "session_ttl: None is not allowed; it must be a number of seconds, greater than 0"),
    ({"store": "s4"}, "profile: 's4' is not allowed; it must be one of s3-standard, s3-standard-fleet, s3-express"),
])
def test_bad_input_is_refused_in_one_sentence(settings, said):
    with pytest.raises(ValueError) as refusal:
        bufstream.Cluster(**settings)
    assert str(refusal.value) == said


@pytest.mark.parametrize("settings, said", [
    ({"what": "bytes"}, "what: 'bytes' is not allowed; it must be 'schema' or 'values'"),
    ({"producer": 0}, "producer: 0 is not allowed; it must be a whole number, at least 1"),
    ({"at": -1}, "at: -1 is not allowed; it must be a number of seconds, at least 0"),
    ({"share": 1.5}, "share: 1.5 is not allowed; it must be a share, from 0 to 1"),
    ({"library": "yes"}, "library: 'yes' is not allowed; it must be True or False"),
])
def test_a_bad_release_is_refused_in_one_sentence(settings, said):
    with pytest.raises(ValueError) as refusal:
        bufstream.Release(**settings)
    assert str(refusal.value) == said


def test_it_says_what_differs_from_the_defaults():
    assert str(bufstream.Cluster(brokers=9, checks=("broker",))) == "Bufstream(brokers=9, checks=('broker',))"
    with pytest.raises(TypeError):
        bufstream.Cluster(lightning=True)     # WarpStream's, not this system's
