"""Each version of the replication protocol fails at the schedule known to have broken it; the next does not."""

import pytest
from scenes import counterexamples
from scenes.counterexamples import ALL, KEEPS, LADDER, verdict

from simulator import kafka
from simulator.brokers.kafka.log import Log, LogBatch
from simulator.brokers.kafka.reconciliation import UNKNOWN, Reconciliation

from . import ladder_schedules

TWICE = "loses 2 records and diverges at 2 offsets"
VERDICTS = {  # from the lowest rung to the highest
    "forgetful_follower": ["loses 1 record", KEEPS, KEEPS, KEEPS, KEEPS],
    "hard_reset": ["loses 1 record and diverges at 1 offset", "loses 1 record", "loses 1 record", "loses 1 record",
                   "loses 1 record"],
    "fast_leader_changes": [KEEPS, "diverges at 1 offset", KEEPS, KEEPS, KEEPS],
    "zombie_follower": [TWICE, TWICE, TWICE, KEEPS, KEEPS],
    "last_replica_standing": ["loses 2 records", "loses 2 records", "loses 2 records", "loses 2 records", KEEPS],
}


@pytest.mark.parametrize("name, rung, expected", [
    pytest.param(name, rung, expected, id=f"{name} on {rung}")
    for name, row in VERDICTS.items() for rung, expected in zip(LADDER, row)])
def test_the_same_execution_on_each_rung(name, rung, expected):
    assert verdict(ALL[name]().on(rung, trace=False)) == expected


def test_every_counterexample_is_in_the_table():
    assert set(VERDICTS) == set(ALL)


@pytest.mark.parametrize("name, rung, reasons", [
    ("forgetful_follower", "truncate-to-high-watermark", [
        "broker-3 cuts its log of orders-0 back to offset 3, its own high watermark",
        "broker-3 becomes leader of orders-0 in epoch 2; its log ends at 3"]),
    ("hard_reset", "truncate-to-high-watermark", ["broker-2 has lost 1 record of orders-0 that were never flushed"]),
    ("fast_leader_changes", "kip-101", ["broker-2 writes offset 2, and never cuts it off again",
                                        "broker-3 becomes leader of orders-0 in epoch 2"]),
    ("zombie_follower", "kip-279", ["controller fences broker-3", "broker-3 becomes leader of orders-0 in epoch 4"]),
    ("last_replica_standing", "kip-320", ["broker-2 loses power",
                                          "broker-2 becomes leader of orders-0 in epoch 2; its log ends at 3"]),
])
def test_each_failure_is_explained_in_words(name, rung, reasons):
    run = ALL[name]().on(rung)
    told = "\n".join(str(run.why(anomaly)) for anomaly in run.anomalies)
    assert all(reason in told for reason in reasons), told


# 1,000 random schedules a rung

SEEDS = 1_000
SAMPLE = 300  # enough to see that one schedule in twenty breaks a lower rung
FIRST = {"truncate-to-high-watermark": (1, "loses 1 record"), "kip-101": (7, "diverges at 1 offset"),
         "kip-279": (9, TWICE),
         "kip-320": (8, "loses 2 records")}  # the first seed at which a rung fails and the next one does not


@pytest.mark.parametrize("first", range(0, SEEDS, 200))
def test_the_highest_rung_loses_nothing_and_its_logs_agree(first):
    for seed in range(first, first + 200):
        run = ladder_schedules.schedule(seed).on("kip-966", trace=False)
        told = f"seed {seed}: {run.report}\n{[str(fault) for fault in run.faults]}"
        assert verdict(run) == KEEPS and run.history.drained, told


@pytest.mark.parametrize("rung, next_rung", list(zip(LADDER, LADDER[1:])))
def test_every_lower_rung_fails_where_the_next_one_does_not(rung, next_rung):
    failed = {seed: found for seed in range(SAMPLE)
              if (found := verdict(ladder_schedules.schedule(seed).on(rung, trace=False))) != KEEPS}
    closed = next(seed for seed in failed
                  if verdict(ladder_schedules.schedule(seed).on(next_rung, trace=False)) == KEEPS)
    assert (closed, failed[closed]) == FIRST[rung]
    assert len(failed) > SAMPLE / 20


# The rules

def log(*batches: tuple[int, int]) -> Log:
    """A log of batches: (records, leader epoch)."""
    made = Log()
    for count, epoch in batches:
        made.append(LogBatch(made.end_offset, count, epoch, made.end_offset, -1, 100 * count), 0.0)
    return made


def test_by_end_offset_alone_an_epoch_the_leader_never_had_goes_unnoticed():
    """KIP-279's motivation: the follower wrote offset 2 in epoch 1, of which the leader knows nothing."""
    leader, follower = log((2, 0), (1, 0), (1, 2)), log((2, 0), (1, 1))
    assert Reconciliation("kip-101").divergence(leader, follower.end_offset, 1) is None
    rules = Reconciliation("kip-279")
    answer = rules.divergence(leader, follower.end_offset, 1)
    assert answer == (0, 3) and rules.cut(follower, answer) == 2


def test_a_leader_that_cannot_tell_sends_the_follower_back_to_its_high_watermark():
    leader, follower = log((3, 0)), log((2, 0), (2, 1))
    follower.high_watermark = 2
    rules = Reconciliation("kip-101")
    answer = rules.divergence(leader, follower.end_offset, 1)
    assert answer == (UNKNOWN, UNKNOWN) and rules.cut(follower, answer) == 2


@pytest.mark.parametrize("rung", LADDER)
def test_logs_that_agree_are_left_alone_and_a_longer_one_is_cut(rung):
    rules, leader = Reconciliation(rung), log((2, 0), (3, 1))
    assert rules.divergence(leader, 5, 1) is None and rules.divergence(leader, 2, 0) is None
    longer = log((2, 0), (3, 1), (2, 1))
    assert rules.cut(longer, rules.divergence(leader, 7, UNKNOWN)) == 5


def test_an_unknown_rung_is_refused_in_one_sentence():
    with pytest.raises(ValueError) as refusal:
        kafka.Cluster(replication_protocol="kip-392")
    assert str(refusal.value) == ("replication_protocol: 'kip-392' is not allowed; it must be one of "
                                  "truncate-to-high-watermark, kip-101, kip-279, kip-320, kip-966")


def test_the_highest_rung_is_the_default():
    assert kafka.Cluster().replication_protocol == LADDER[-1] == counterexamples.SMALL.replication_protocol
