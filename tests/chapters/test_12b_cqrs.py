"""What chapter 12b says about read models is so: its own cells are run, and the prose is held to what they found."""
from math import exp

import numpy as np
import pytest
from reading import Chapter
from scenes import readmodels as scenes

SOURCE = Chapter("12b-cqrs")
says = SOURCE.says


def test_a_checkpoint_apart_from_its_state_counts_one_too_few_or_one_too_many(chapter):
    assert chapter.early.check().broken == ["lost write"] and chapter.late.check().broken == ["duplicate"]
    assert [scenes.counted(run) for run in (chapter.early, chapter.late, scenes.crashed("with"))] == [
        {"stored": 59, "counted": count} for count in (58, 60, 59)]
    assert scenes.crashed("with").check().ok and "59 events" in "".join(SOURCE.code)


@pytest.mark.parametrize("work, wait", [("exponential", scenes.theory.mm1_wait), ("constant", scenes.theory.md1_wait)])
def test_lag_is_on_the_line(work, wait):
    for load in (0.3, 0.5):
        measured = np.mean([scenes.lag(scenes.projected(load, work, seed=seed)).mean() for seed in (7, 8)])
        assert measured == pytest.approx(wait(load * 100, 100) + 0.01, rel=0.08)
    assert (0.01 / 0.1) / (0.01 / 0.5) == pytest.approx(5) and says("It is five times")


def test_an_outage_at_80_percent_takes_four_times_as_long_again():
    assert scenes.level_again(scenes.away(0.8, 20.0)) == pytest.approx(80, rel=0.15)
    assert scenes.theory.catch_up_time(50, 100, 20) == 20
    assert scenes.theory.catch_up_time(90, 100, 20) == pytest.approx(180)


def test_a_third_of_the_reads_come_too_early():
    share = scenes.too_early() / 100
    assert share == pytest.approx(exp(-1), abs=0.05) and says("A third of those who look")


def test_a_rebuild_has_to_do_the_new_events_as_well():
    assert scenes.rebuild_hours() * 3_600 == pytest.approx(6_667, abs=1) and says("two hours")
    assert scenes.rebuild_hours(rate=1_000) / scenes.rebuild_hours() == pytest.approx(1.5)
