"""Redpanda keeps what a majority has on disk under random faults.

Without fsync a power loss that hits all takes it, and is named.
"""
from dataclasses import replace

import pytest

from simulator import Pauses, Workload, faults, kafka, redpanda, simulate
from simulator.kernel.raft.invariants import Seen, broken
from simulator.kernel.world import World

from . import redpanda_schedules as schedules

BLOCK = 125
STEADY = Workload(rate=500, seconds=12, keys=50)
ONE = redpanda.Cluster(partitions=1)
BLACKOUT = [faults.power_loss(*schedules.BROKERS, at=8, lasts=3)]


def found(run, *kinds: str):
    """The anomalies of these kinds; there must be some, explained in a sentence that names records."""
    anomalies = [anomaly for anomaly in run.anomalies if anomaly.kind in kinds]
    assert anomalies, f"none of {kinds} found: {run.report}"
    assert all("value" in anomaly.sentence for anomaly in anomalies)
    return anomalies


def count(run, name: str) -> int:
    return len(run.trace.where(name))


# Promises

@pytest.mark.parametrize("first", range(0, 500, BLOCK))
def test_no_acknowledged_record_is_lost_whatever_loses_power(first):
    """500 schedules, in which all brokers may lose power at once."""
    disturbed = 0
    for seed in range(first, first + BLOCK):
        run = schedules.run(seed)
        assert not run.report.broken, f"seed {seed}: {run.report}\n{[str(fault) for fault in run.faults]}"
        assert run.history.drained, f"seed {seed} did not come to rest in {run.seconds} s"
        disturbed += count(run, "retry") > 0 or count(run, "candidate") > 0
    assert disturbed > BLOCK / 3, "the faults must be felt, or nothing was tested"


@pytest.mark.parametrize("seed", range(6))
def test_the_invariants_of_raft_hold_after_every_event(seed):
    world, seen = World(seed, trace=False), Seen()
    system = schedules.QUICK.build(world, Workload(rate=20, record_bytes=500, keys=20, seconds=3, consumers=1))
    for fault in schedules.schedule(1000 + seed):
        fault.schedule(world)
    while world.env.peek() <= 8:
        world.env.step()
        assert broken(system.groups[0], seen) == []
    assert len(seen.committed) > 10


def test_write_caching_loses_what_no_broker_had_flushed_and_says_so():
    flushed, cached = (simulate(replace(ONE, fsync=fsync), STEADY, faults=BLACKOUT, seed=1) for fsync in (True, False))
    assert flushed.report.ok, flushed.report
    lost = sum(anomaly.count for anomaly in found(cached, "lost write", "vanished"))
    assert 0 < lost <= 2 * 500 * ONE.max_flush_delay, "no more than a flush delay's worth of records"
    assert count(cached, "lost_unflushed") == 3


def test_kafka_without_flush_loses_far_more_and_with_it_nothing():
    cached, flushed = (simulate(kafka.Cluster(partitions=1, flush_every_batch=flush), STEADY, faults=BLACKOUT, seed=1)
                       for flush in (False, True))
    redpanda_cached = simulate(replace(ONE, fsync=False), STEADY, faults=BLACKOUT, seed=1)
    lost = [sum(anomaly.count for anomaly in found(run, "lost write", "vanished")) for run in (cached, redpanda_cached)]
    assert flushed.report.ok
    assert lost[0] > 30 * lost[1], "30 s of the operating system's write-back against 0.1 s"


def test_random_schedules_find_the_loss_without_fsync():
    """Some of the same schedules break a cluster that answers from memory: no promise is unbreakable."""
    cached = replace(schedules.QUICK, fsync=False, max_flush_delay=1.0)
    broken_by = [seed for seed in range(40) if schedules.run(seed, cached).report.broken]
    assert len(broken_by) > 3
    for seed in broken_by:
        assert any(fault.kind == "power_loss"
                   for fault in schedules.schedule(seed)), "nothing but a power loss can do it"


def test_a_follower_that_stands_still_holds_kafka_up_and_not_redpanda():
    """Kafka waits for every in-sync replica, until it is no longer one; Raft for the faster of two."""
    stands_still = [faults.pause("broker-2", at=4, lasts=4)]
    isr, majority = (simulate(system, STEADY, faults=stands_still, seed=1)
                     for system in (kafka.Cluster(partitions=1), ONE))
    assert isr.report.ok and majority.report.ok
    assert isr.latency.seconds.max() > 3.5
    assert majority.latency.seconds.max() < 0.05
    assert count(majority, "candidate") == 0


def test_a_leader_that_crashes_is_replaced_within_an_election_timeout():
    run = simulate(ONE, STEADY, faults=[faults.crash("broker-1", at=4, lasts=5)], seed=1)
    assert run.report.ok
    assert ONE.election_timeout < run.latency.seconds.max() < 2 * ONE.election_timeout
    assert count(run, "elected") == 2


def test_what_was_sent_twice_is_stored_once():
    deaf = [faults.mute("broker-1", ["producer-1"], at=4, lasts=3)]  # requests arrive, answers do not
    impatient = kafka.Producer(request_timeout=1.0, delivery_timeout=20.0)
    idempotent = simulate(replace(ONE, producer=impatient), STEADY, faults=deaf, seed=1)
    plain = simulate(replace(ONE, producer=replace(impatient, idempotence=False)), STEADY, faults=deaf, seed=1)
    assert idempotent.report.ok and idempotent.report.verdicts["duplicate"].cases == 0
    assert count(idempotent, "deduplicated") > 0
    found(plain, "duplicate")


def test_acks_1_loses_what_a_cut_off_leader_had_answered():
    cut = [faults.partition(["broker-1"], ["broker-2", "broker-3"], at=4, lasts=5)]
    assert simulate(ONE, STEADY, faults=cut, seed=1).report.ok
    found(simulate(replace(ONE, producer=kafka.Producer(acks=1)), STEADY, faults=cut, seed=1), "lost write")


def test_the_trace_counts_records_not_raft_entries():
    run = simulate(ONE, Workload(rate=50, seconds=4, keys=5), seed=1)
    rows = run.trace.events.rows
    for kind in ("append", "replicate"):
        assert rows["count"][run.trace.where(kind)].sum() == run.latency.n * (1 if kind == "append" else 2)


# Transforms

def test_a_transform_writes_every_record_once_where_nothing_fails():
    run = simulate(replace(ONE, transform=redpanda.Transform()), STEADY, seed=1)
    assert run.meters.counts["records transformed"] == run.latency.n
    assert run.meters.counts["records transformed again"] == 0


@pytest.mark.parametrize("trouble", [faults.crash("broker-1", at=4, lasts=5), faults.pause("broker-2", at=4, lasts=3)])
def test_a_transform_repeats_records_after_a_change_of_leader_and_leaves_none_out(trouble):
    run = simulate(replace(ONE, partitions=2, transform=redpanda.Transform()), STEADY, faults=[trouble], seed=1)
    assert run.meters.counts["records transformed"] == run.latency.n
    again = run.meters.counts["records transformed again"]
    assert 0 < again <= 500 * (redpanda.Transform().commit_interval + 0.5)


def test_a_transform_takes_its_time_from_the_core_of_its_partition():
    """A core that spends 1.9 ms on each of 500 records a second keeps requests waiting behind whole batches."""
    own = replace(ONE, request_cpu=0.0001)
    idle, busy = (simulate(replace(own, transform=redpanda.Transform(cpu=cpu)), STEADY, seed=1, trace=False)
                  for cpu in (0.0, 0.0019))
    assert busy.latency.p99 > 2 * idle.latency.p99


# Pauses, determinism, bad input

def test_pauses_leave_promises_alone_and_a_run_without_them_unchanged():
    plain, paused = simulate(ONE, STEADY, seed=2), simulate(Pauses(ONE, length=0.05), STEADY, seed=2)
    assert paused.report.ok
    assert paused.latency.p99 > 2 * plain.latency.p99
    assert count(paused, "pause") > 20
    assert simulate(ONE, STEADY, seed=2).trace.digest() == plain.trace.digest()


@pytest.mark.parametrize("make, field", [
    (lambda: redpanda.Cluster(replication=2), "replication: 2"),
    (lambda: redpanda.Cluster(brokers=3, replication=5), "replication: 5"),
    (lambda: redpanda.Cluster(cores=0), "cores: 0"),
    (lambda: redpanda.Cluster(fsync="yes"), "fsync: 'yes'"),
    (lambda: redpanda.Cluster(request_cpu=-1), "request_cpu: -1"),
    (lambda: redpanda.Cluster(max_flush_delay=0), "max_flush_delay: 0"),
    (lambda: redpanda.Cluster(heartbeat=2.0), "heartbeat: 2.0"),
    (lambda: redpanda.Cluster(transform="upper"), "transform: 'upper'"),
    (lambda: redpanda.Cluster(consumer=kafka.Consumer(rack=True)), "consumer: "),
    (lambda: redpanda.Transform(cpu=-0.1), "cpu: -0.1"),
    (lambda: redpanda.Transform(commit_interval=0), "commit_interval: 0"),
    (lambda: Pauses(7), "system: 7"),
    (lambda: Pauses(ONE, gap=0), "gap: 0"),
    (lambda: Pauses(ONE, length=-1), "length: -1"),
    (lambda: simulate(Pauses(ONE, role="controller"), STEADY), "role: 'controller'"),
])
def test_bad_input_is_refused_by_name(make, field):
    with pytest.raises(ValueError, match=field):
        make()
