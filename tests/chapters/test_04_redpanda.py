"""What chapter 04 says about quorums, pauses, cores and power is so: its cells are run, the prose held to them."""
from math import log

import numpy as np
import pytest
from reading import Chapter
from scenes import redpanda as scenes

from simulator import faults, redpanda, simulate, theory
from simulator.brokers.pauses import PUBLISHED_P90

SOURCE = Chapter("04-redpanda")
says = SOURCE.says
RULES = scenes.SLOWEST, scenes.MAJORITY


@pytest.mark.parametrize("replication", [3, 5])
@pytest.mark.parametrize("rule", RULES)
def test_the_waits_are_order_statistics(rule, replication):
    assert scenes.wait(rule, replication) == pytest.approx(scenes.expected(rule, replication), rel=0.09)
    assert says("agrees within a few per cent")


def test_all_takes_three_times_as_long_as_the_faster_of_two():
    assert scenes.expected(scenes.SLOWEST, 3) / scenes.expected(scenes.MAJORITY, 3) == pytest.approx(3)


def test_a_follower_that_stands_still_stops_one_of_two(chapter):
    stopped, went_on = (chapter.runs[rule] for rule in RULES)
    assert 3.9 < scenes.slowest(stopped) < 4.1 and scenes.slowest(went_on) < 0.05
    assert stopped.check().ok and went_on.check().ok and says("No record is lost")


def test_the_pauses_are_those_of_the_published_figure():
    assert PUBLISHED_P90 / log(10) == pytest.approx(0.0091, abs=5e-5) and says("last 9.1 ms on average")


def test_the_rule_takes_the_followers_part_of_the_tail_and_leaves_the_leader_s(chapter):
    kafka, majority = ((scenes.tail(rule, False), scenes.tail(rule, True)) for rule in RULES)
    assert 3 < kafka[1] / kafka[0] < 6
    assert majority[1] < kafka[1] and majority[1] > 2 * majority[0]
    assert scenes.share_of_followers(scenes.MAJORITY, 0.0091,
                                     1.0) < scenes.share_of_followers(scenes.SLOWEST, 0.0091, 1.0) / 100


@pytest.mark.parametrize("rule", RULES)
def test_the_tail_of_pauses_is_that_of_order_statistics(rule):
    waits = [0.005, 0.009, 0.015, 0.02]
    measured = [np.mean(scenes._four(9.1, 1.0, 3)[f"{rule}, pauses"].latency.seconds > wait) for wait in waits]
    assert measured == pytest.approx(scenes.late_by_pauses(rule, waits), rel=0.8)
    assert len(scenes.four().axes[2].lines) == 6 and says("The runs lie close by, on the slow side")


def test_long_pauses_give_the_majority_a_tail_too():
    assert scenes.tail(scenes.MAJORITY, True, 100.0) > 0.1 and says("a tail of a tenth of a second")


@pytest.mark.parametrize("load", [0.5, 0.8])
def test_a_core_of_its_own_is_m_d_1_and_a_pool_waits_less(load):
    own, pool = scenes.at_core(True, load), scenes.at_core(False, load)
    assert own == pytest.approx(theory.md1_wait(load / scenes.BUSY, 1 / scenes.BUSY), rel=0.12)
    assert pool < own / 3


def test_who_loses_what_when_the_power_fails(chapter):
    lost, median = (chapter.table[name] for name in chapter.table)
    assert lost["Kafka"] > 1500 and lost["Kafka, every batch flushed"] == lost["Redpanda"] == 0
    assert 0 < lost["Redpanda, write caching"] <= 2 * 200 * 0.1
    assert 0.8 < median["Kafka, every batch flushed"] - median["Kafka"] < 1.8
    assert says("costs Kafka about a millisecond")
    assert 0.3 < median["Redpanda"] - median["Redpanda, write caching"] < 0.9 and says("saves Redpanda half of one")
    assert scenes.losses("broker-1")["acknowledged and lost"].sum() == 0


def test_the_goal_can_be_reached_and_is_not_given_away():
    assert scenes.missing(scenes.dark(fsync=False,
                                      max_flush_delay=2.0)) >= 100 > scenes.missing(scenes.dark(fsync=False))
    assert scenes.missing(scenes.dark(max_flush_delay=2.0)) == 0


def test_a_transform_repeats_two_seconds_and_leaves_nothing_out(chapter):
    assert 2 * 200 * 0.9 < scenes.again(chapter.run) < 2 * 200 * 1.1 and scenes.left_out(chapter.run) == 0
    assert chapter.run.check().ok


def test_what_is_left_to_the_reader():
    """Five replicas go on without two of them, and stop without three; nothing acknowledged is lost."""
    five = redpanda.Cluster(brokers=5, replication=5, partitions=1)
    for gone, slow in ((2, False), (3, True)):
        trouble = [faults.crash(f"broker-{5 - i}", at=4, lasts=6) for i in range(gone)]
        run = simulate(five, scenes.DRIVEN, faults=trouble, seed=7)
        assert run.check().ok and (scenes.slowest(run) > 4) == slow
