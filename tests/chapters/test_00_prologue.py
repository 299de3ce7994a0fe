"""What the prologue says is so: its own cells are run, and the prose is held to what they found."""

import pytest
from reading import Chapter
from scenes import prologue as scenes

from simulator import theory

SOURCE = Chapter("00-prologue")


# What it says

def test_at_a_hundred_a_second_a_reader_is_idle_nine_tenths_of_the_time_and_all_are_quick(chapter):
    runs = chapter.quiet.runs
    assert all(scenes.busy(run) == pytest.approx(0.1, rel=0.05) for run in runs.values())
    assert all(run.end_to_end.p99 < 0.010 and scenes.handed_over(run) == scenes.orders(run) for run in runs.values())
    assert max(runs, key=lambda name: runs[name].end_to_end.p50) == "log"


def test_a_worker_is_measurably_as_busy_as_little_says():
    assert scenes.load(rate=400, workers=1).busy == pytest.approx(theory.little(400, 0.001), rel=0.05)


def test_at_a_hundred_thousand_queue_and_log_share_the_work_and_the_broadcast_copies_it(chapter):
    queue, log, broadcast = (chapter.rush[name] for name in ("queue", "log", "pub/sub"))
    for run in (queue, log):
        assert 160 * scenes.busy(run) == pytest.approx(100, rel=0.02)
        assert run.end_to_end.p50 < 0.010 and scenes.handed_over(run) == scenes.orders(run)
    assert broadcast.meters.counts["slow consumers"] == 1
    assert scenes.handed_over(broadcast) == pytest.approx(1_000 * 0.65, rel=0.1)  # a thousand a second until cut off
    assert 64 * 2 ** 20 / (1_040 * 100_000) == pytest.approx(2 / 3, rel=0.05)


def test_a_line_for_each_reader_makes_orders_wait_although_a_neighbour_is_idle(chapter):
    alone, shared = theory.mmc_wait(100_000 / 160, 1_000, 1), theory.mmc_wait(100_000, 1_000, 160)
    assert shared < 0.00001 and alone == pytest.approx(0.00167, rel=0.01)
    assert chapter.rush["log"].end_to_end.p99 > 10 * chapter.rush["queue"].end_to_end.p99


def test_the_bill_is_theory_and_a_little_more(chapter):
    log = chapter.rush["log"]
    assert 1 < scenes.crossing(log) / theory.cross_zone_bytes(groups=1) < 1.1 and round(scenes.crossing(log), 1) == 3.6
    by_hand = 0.1 * scenes.crossing(log) * scenes.MONTH * 0.02  # GB/s, crossings, seconds, dollars a GB
    assert scenes.monthly_dollars(log) == pytest.approx(by_hand, rel=0.02)
    assert 15_000 < scenes.monthly_dollars(log) < 20_000 and scenes.monthly_dollars(chapter.quiet["log"]) < 30
    assert all(scenes.monthly_dollars(chapter.rush[name]) == 0 for name in ("queue", "pub/sub"))


def test_a_crash_is_answered_by_one_redelivery_by_a_replay_or_by_silence(chapter):
    fates = scenes.fates(chapter.crashed)
    assert fates["never"].to_dict() == {"queue": 0, "log": 0, "pub/sub": pytest.approx(500, rel=0.05)}
    replayed = pytest.approx((7.137 - 5) * 100, rel=0.1)  # since the last commit, at 5 s
    assert fates["handed over again"].to_dict() == {"queue": 1, "log": replayed, "pub/sub": 0}


def test_the_order_in_hand_goes_to_the_other_worker(chapter):
    verdicts = chapter.caught.report.verdicts
    assert verdicts["redelivery"].word == "permitted" and verdicts["redelivery"].records == 1
    assert verdicts["lost"].word == "holds"
    assert "worker-2" in chapter.caught.anomalies[0].sentence


def test_a_late_reader_gets_a_share_the_rest_or_everything(chapter):
    orders, came = scenes.orders(chapter.quiet["queue"]), 0.5
    share, rest = (scenes.received(chapter.joined[name], reader) for name, reader in chapter.late.items())
    assert share == pytest.approx(came * orders / 2, rel=0.05) and rest == pytest.approx(came * orders, rel=0.05)
    assert scenes.received(chapter.joined["queue"], "worker-1") == orders - share
    assert scenes.received(chapter.quiet["log"], "final-reader") == orders


def test_the_log_has_three_to_four_times_as_many_settings_and_servers(chapter):
    assert 3 <= scenes.settings(chapter.three["log"]) / scenes.settings(chapter.three["queue"]) <= 4
    assert scenes.servers(chapter.quiet["log"]) == 4 * scenes.servers(chapter.quiet["queue"])


# What is to be turned

def test_the_load_follows_theory_where_four_thousand_orders_are_enough():
    for rate, workers in ((300, 1), (600, 1), (900, 2)):
        measured, expected = scenes.load(rate, workers), theory.mmc_wait(rate, 1_000, workers)
        assert measured.mean == pytest.approx(expected, rel=0.3)
    assert scenes.load(900, 2).p99 < scenes.load(900, 1).p99 / 2  # a second worker far more than halves the wait


def test_the_goals_are_open_at_first_and_can_be_reached():
    goals = {}
    source = next(source for source in SOURCE.code if 'goal("00-hockey"' in source)
    exec(source, {"goal": lambda id, sentence, condition: goals.update({id: condition})})
    assert not any(condition(scenes.load()) for condition in goals.values())
    assert goals["00-hockey"](scenes.load(900, 1)) and not goals["00-second"](scenes.load(900, 1))
    assert goals["00-second"](scenes.load(900, 2))
