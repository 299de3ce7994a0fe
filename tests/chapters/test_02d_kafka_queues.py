"""What chapter 02d says about share groups is so: its own cells are run, and the prose is held to what they found."""

import numpy as np
import pytest
from reading import Chapter
from scenes import queues as scenes

from simulator import kafka, theory

SOURCE = Chapter("02d-kafka-queues")
says = SOURCE.says
share = kafka.share


# One slow record

def test_a_slow_record_holds_up_its_partition_and_nobody_in_a_share_group():
    readers, group = scenes.by_partition(), scenes.as_a_queue()
    created, seconds, partition = scenes.took(readers)
    unlucky = np.unique(partition[seconds > 5])
    behind = (partition == unlucky[0]) & (created > 11)
    # every later order of that partition
    assert len(unlucky) == 1 and scenes.held_up(readers) > 100 and np.all(seconds[behind] > 5)
    assert scenes.held_up(group) == 0 and scenes.longest_of_the_others(group) < 1.5


def test_poison_is_tried_a_hundred_times_by_a_reader_and_five_times_in_a_share_group():
    for run, tries in ((scenes.by_partition("poison"), scenes.RETRIES), (scenes.as_a_queue("poison"), 5)):
        assert share.repeated(run.history) == tries - 1 and scenes.given_up(run) == 1
    assert scenes.RETRIES == 100 and says("a hundred times")


@pytest.mark.parametrize("partitions, blocked", [(1, False), (2, False), (4, True)])
def test_a_partition_is_only_shared_when_members_outnumber_partitions(partitions, blocked):
    count = scenes.held_up(scenes.as_a_queue(partitions=partitions))
    assert count > 0.7 * scenes.held_up(scenes.by_partition()) if blocked else count == 0


def test_the_room_behind_a_stuck_record_fills_up_and_then_nobody_gets_anything():
    tight = scenes.as_a_queue(partition_max_record_locks=100)
    handed_out = tight.history.deliveries.rows["time"]
    at = tight.history.created[0][scenes.UNLUCKY]
    gap = np.max(np.diff(np.sort(handed_out)))
    assert gap > 14 and 3 < handed_out[np.argmax(np.diff(handed_out))] - at < 7  # "after five seconds"
    assert scenes.held_up(tight) > scenes.held_up(scenes.by_partition())         # the task of section 4 has an answer
    assert 2_000 / 100 == 20 and says("twenty seconds away")


# Locks

def test_a_killed_process_gives_back_at_once_a_dark_machine_when_its_lock_ends(chapter):
    (count, soon), (same, late) = scenes.taken_back(chapter.killed), scenes.taken_back(chapter.dark)
    assert count == same == 3 and says("Three records are waiting")
    assert soon < 0.01 and 5 < late < 10
    attempts = chapter.killed.history.deliveries.rows["attempt"], chapter.dark.history.deliveries.rows["attempt"]
    assert [values.max() for values in attempts] == [1, 2]


def test_the_lock_trade_off_is_what_the_prose_says(chapter):
    assert np.quantile(scenes.WORK.quantile(np.linspace(0.0001, 0.9999, 9_999)),
                       [0.5, 0.99]) == pytest.approx([5, 25], rel=0.01)
    assert scenes.deliveries(5.0) - 1 == pytest.approx(0.94, abs=0.005)
    for lock in (5.0, 10.0, 30.0):
        run = scenes.locked(lock)
        extra = share.repeated(run.history) / len(run.history.publishes)
        assert extra == pytest.approx(scenes.deliveries(lock) - 1, abs=0.15)
        assert lock - 1 < scenes.stuck(scenes.silence(lock)) <= lock
    assert 0.01 < scenes.given_up(chapter.short) / len(chapter.short.history.publishes) < 2 * scenes.too_long(5.0) ** 5
    assert len(chapter.short.report.verdicts) and chapter.short.report.ok


def test_a_deadly_record_kills_everybody_again_and_again_and_is_never_counted(chapter):
    victims = chapter.victims
    assert set(victims["delivery count"]) == {1} and len(victims) == 33
    first = victims["time (s)"].to_numpy()[:3]
    assert set(victims["killed"][:3]) == {"consumer-1", "consumer-2", "consumer-3"} and np.ptp(first) < 0.2


# Order, numbers, leaders

def test_even_work_is_done_in_order_and_uneven_work_is_not():
    works = scenes.distributions.Fixed(0.1), scenes.distributions.Exponential(0.1)
    assert scenes.out_of_order(1, works[1]) == 0
    assert scenes.out_of_order(8, works[0]) < 0.01 < 0.4 < scenes.out_of_order(8, works[1])


def test_readers_stop_helping_at_the_number_of_partitions(chapter):
    readers, shared, single = chapter.means.values()
    assert len(set(readers)) == 1 and readers[0] == pytest.approx(theory.mm1_sojourn(7.5, 10), rel=0.2)
    assert 2.5 < readers[-1] / shared[-1] < 4.5
    for members, seconds in zip(scenes.MEMBERS, single):
        assert seconds == pytest.approx(theory.mmc_wait(30, 10, members) + 0.1, rel=0.06)
    assert all(one <= four for one, four in zip(single, shared))


def test_the_delivery_under_way_is_forgotten_by_a_new_leader():
    run = scenes.leader_dies()
    assert scenes.attempts(run, 20) == [1, 2, 2, 3, 4, 5] and says("six times under a limit of five")
    elected = run.trace.events.rows["time"][run.trace.where("elected")]
    assert elected[1] - 10 == pytest.approx(9, abs=0.01)
