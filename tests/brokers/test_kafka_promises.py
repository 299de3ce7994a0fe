"""What Kafka promises is kept under random faults, and every unsafe setting is found out and named."""

import pytest

from simulator import Workload, faults, kafka, simulate

from . import schedules

BLOCK = 200


@pytest.mark.parametrize("first", range(0, 1000, BLOCK))
def test_no_acknowledged_record_is_lost_and_order_is_kept(first):
    """acks=all, min_insync=2, replication=3, idempotence, clean elections: 1,000 schedules.

    In blocks, so that processors share them.
    """
    disturbed = 0
    for seed in range(first, first + BLOCK):
        run = schedules.run(seed, trace=False)
        assert not run.report.broken, f"seed {seed}: {run.report}\n{[str(fault) for fault in run.faults]}"
        assert run.history.drained, f"seed {seed} did not come to rest in {run.seconds} s"
        disturbed += run.latency.seconds.max() > 0.6
    assert disturbed > BLOCK / 3, "the faults must be felt, or nothing was tested"


STEADY = Workload(rate=500, seconds=20, keys=50)


def found(run, *kinds: str):
    """The anomalies of these kinds; there must be some, explained in a sentence that names records."""
    anomalies = [anomaly for anomaly in run.anomalies if anomaly.kind in kinds]
    assert anomalies, f"none of {kinds} found: {run.report}"
    assert all("values" in a.sentence or "value" in a.sentence for a in anomalies)
    return anomalies


def test_acks_1_loses_what_a_cut_off_leader_had_acknowledged():
    cut = faults.partition(["broker-1"], ["broker-2", "broker-3", "controller"], at=5, lasts=12)
    safe = simulate(kafka.Cluster(partitions=1), STEADY, faults=[cut], seed=1)
    unsafe = simulate(kafka.Cluster(partitions=1, producer=kafka.Producer(acks=1)), STEADY, faults=[cut], seed=1)
    assert safe.report.ok
    found(unsafe, "lost write")
    assert not unsafe.report.ok


def test_acks_1_loses_what_a_crashed_leader_had_not_yet_given_to_its_followers():
    slow = [faults.slow_network("broker-2", "broker-3", extra=0.2, at=4, lasts=3),
            faults.crash("broker-1", at=5, lasts=15)]
    unsafe = simulate(kafka.Cluster(partitions=1, producer=kafka.Producer(acks=1)), STEADY, faults=slow, seed=1)
    safe = simulate(kafka.Cluster(partitions=1), STEADY, faults=slow, seed=1)
    assert safe.report.ok
    found(unsafe, "lost write")


@pytest.mark.parametrize("control", [None, kafka.KRaft()])
def test_followers_of_a_partition_that_nobody_writes_to_join_its_in_sync_replicas_again(control):
    away = [faults.crash(name, at=2, lasts=20) for name in ("broker-2", "broker-3")]
    run = simulate(kafka.Cluster(partitions=3, min_insync=1, control=control), Workload(rate=20, seconds=40, keys=1),
                   faults=away, seed=7)
    changes = run.trace.events.rows[run.trace.where("isr")]
    assert {key: [int(row["count"]) for row in changes[changes["key"] == key]][-1]
            for key in set(changes["key"].tolist())} == {0: 3, 1: 3, 2: 3}
    assert 1 in changes["count"], "nobody was out, so nobody could come back"


@pytest.mark.parametrize("request_timeout", [1.0, 4.0, 30.0])
@pytest.mark.parametrize("seed", [2, 3])
def test_a_producer_finds_the_new_leader_of_a_machine_that_went_dark(request_timeout, seed):
    """No answer at all, no refused connection either: also a failed attempt to connect makes a client ask who leads."""
    impatient = kafka.Producer(linger=0.1 if seed == 2 else 0.005, request_timeout=request_timeout)
    dark = faults.power_loss("broker-1", at=3)
    run = simulate(kafka.Cluster(partitions=3, producer=impatient), Workload(rate=50, seconds=40, keys=50),
                   faults=[dark], seed=seed)
    assert run.latency.n == run.history.records_sent() and run.report.ok
    assert run.latency.seconds.max() < 9 + 2 * max(request_timeout, 10)


def test_an_unclean_election_loses_committed_records():
    away = [faults.isolate("broker-2", "broker-3", at=2, lasts=14), faults.crash("broker-1", at=13, lasts=30)]
    clean, unclean = (simulate(kafka.Cluster(partitions=1, min_insync=1, unclean_leader_election=u), STEADY,
                               faults=away, seed=1)
                      for u in (False, True))
    assert clean.report.ok
    found(unclean, "lost write", "vanished")
    assert "unclean" in str(unclean.story(limit=10_000))


def test_power_loss_without_fsync_loses_committed_records():
    blackout = [faults.power_loss("broker-1", "broker-2", "broker-3", at=8, lasts=5)]
    cached = simulate(kafka.Cluster(partitions=1), STEADY, faults=blackout, seed=1)
    flushed = simulate(kafka.Cluster(partitions=1, flush_every_batch=True), STEADY, faults=blackout, seed=1)
    assert flushed.report.ok, flushed.report
    found(cached, "lost write", "vanished")


def test_a_retry_without_idempotence_stores_records_twice():
    deaf = [faults.mute("broker-1", ["producer-1"], at=5, lasts=4)]  # requests arrive, answers do not
    impatient = dict(request_timeout=1.0, delivery_timeout=20.0)
    plain = simulate(kafka.Cluster(partitions=1, producer=kafka.Producer(idempotence=False, **impatient)), STEADY,
                     faults=deaf, seed=1)
    idempotent = simulate(kafka.Cluster(partitions=1, producer=kafka.Producer(**impatient)), STEADY,
                          faults=deaf, seed=1)
    found(plain, "duplicate")
    assert plain.report.verdicts["duplicate"].permitted
    assert idempotent.report.verdicts["duplicate"].cases == 0
    assert len(idempotent.trace.where("deduplicated")) > 0


def test_retries_without_idempotence_reorder_records():
    """A request is lost, those behind it are not: it is sent after them, unless sequence numbers hold them back."""
    lost = [faults.drop(["producer-1"], ["broker-1"], at=5, lasts=0.01)]
    impatient = dict(request_timeout=1.0, delivery_timeout=20.0)
    plain = simulate(kafka.Cluster(partitions=1, producer=kafka.Producer(idempotence=False, **impatient)), STEADY,
                     faults=lost, seed=1)
    idempotent = simulate(kafka.Cluster(partitions=1, producer=kafka.Producer(**impatient)), STEADY,
                          faults=lost, seed=1)
    found(plain, "nonmonotonic send")
    assert idempotent.report.ok and idempotent.report.verdicts["nonmonotonic send"].cases == 0
    notes = {idempotent.trace.notes.get(int(event)) for event in idempotent.trace.where("refused")}
    assert notes == {"a batch before this one is missing"}


def test_acks_0_does_not_notice_what_it_loses():
    run = simulate(kafka.Cluster(partitions=1, producer=kafka.Producer(acks=0)), STEADY,
                   faults=[faults.power_loss("broker-1", at=5, lasts=12)], seed=1)
    found(run, "lost write", "unseen")


def test_below_min_insync_sends_are_refused_and_nothing_is_lost():
    alone = [faults.isolate("broker-2", "broker-3", at=4, lasts=14)]
    # otherwise it waits 30 s for the first five requests
    impatient = kafka.Producer(request_timeout=2.0, delivery_timeout=20.0)
    run = simulate(kafka.Cluster(partitions=1, producer=impatient), STEADY, faults=alone, seed=1)
    refusals = {run.trace.notes.get(int(event)) for event in run.trace.where("refused")}
    assert refusals == {"fewer in-sync replicas than min_insync, nothing was appended"}
    assert run.report.ok


def test_an_append_whose_replicas_then_fail_is_indeterminate():
    """Without KIP-966 the high watermark may pass a batch when too few replicas are left.

    Then NOT_ENOUGH_REPLICAS_AFTER_APPEND is `info`.
    """
    cluster = schedules.cluster(producer=dict(retries=0, idempotence=False), replication_protocol="kip-320")
    run = simulate(cluster, Workload(rate=200, seconds=6, keys=20),
                   faults=[faults.isolate("broker-2", "broker-3", at=2, lasts=3)], seed=1)
    rows = run.history.sends.rows
    names = [run.history.errors[code] for code in rows["error"]]
    types = {rows["type"][i] for i, name in enumerate(names) if name == "NOT_ENOUGH_REPLICAS_AFTER_APPEND"}
    assert types == {2}
    assert not run.report.broken


def test_the_same_seed_gives_the_same_run():
    digests = {schedules.run(3).trace.digest() for _ in range(2)}
    assert len(digests) == 1
