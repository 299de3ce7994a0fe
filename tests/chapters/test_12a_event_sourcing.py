"""What chapter 12a says about event stores is so: its own cells are run, and the prose is held to what they found."""

import pytest
from reading import Chapter
from scenes import eventstores as scenes

SOURCE = Chapter("12a-event-sourcing")
says = SOURCE.says


def test_a_forgiving_fold_pays_what_was_never_created():
    assert scenes.forgiving([scenes.PAID]) == {"status": "PAID"}
    assert "'OrderPaid' cannot follow None" in scenes.refusal([scenes.PAID])
    orderly = [scenes.CREATED, scenes.PAID, scenes.SHIPPED]
    assert scenes.strict(orderly) == scenes.forgiving(orderly) == {"id": 7, "status": "SHIPPED"}
    assert "cannot follow" in scenes.refusal([*orderly, scenes.PAID])


def test_without_a_version_the_account_is_overdrawn(chapter):
    assert scenes.taken(chapter.run) == 22 and chapter.run.meters.counts["overdrawn"] == 2
    assert chapter.run.check().ok and says("The judge of the log found nothing wrong")
    assert scenes.taken(chapter.careful) == 20 and says("Exactly twenty")


def test_the_last_coin_was_decided_on_twice(chapter):
    rows = chapter.run.trace.events.rows
    decisions = rows[chapter.run.trace.where("decide")]
    assert decisions["count"].min() == 1 and (decisions["count"] == 1).sum() == 2  # "the last two saw the same one"


def test_conflicts_follow_the_line_until_it_gets_crowded():
    window = 0.01
    for rate in (5, 10):
        assert scenes.refused(rate, window, 1) == pytest.approx(100 * scenes.theory.overtaken(rate, window), rel=0.2)
    assert 100 * scenes.theory.overtaken(20, window) == pytest.approx(18, abs=0.2)
    assert 18 < scenes.refused(20, window, 1) < 25
    assert 80 < scenes.refused(80, window, 1) < 90 and says("more than eight appends in ten are in vain")
    assert scenes.refused(20, window, 8) < 4 and says("the conflicts are nearly gone")


def test_snapshots_bound_the_fold():
    plain, saved = scenes._life(0, 100), scenes._life(100, 100)
    assert plain.history.records_sent() == 1_500
    assert scenes._last(plain) == pytest.approx(1_450 * 1e-4, rel=0.02)
    assert saved.latency.mean == pytest.approx(99 / 2 * 1e-4, rel=0.12)
    assert saved.history.latencies().max() < 99e-4 + 0.005


def test_an_old_snapshot_keeps_the_old_rules():
    all_, old = scenes.old_snapshot().values()
    assert old - all_ == 2 and says("Two coins apart")
    # a snapshot of the same code agrees
    assert scenes.balance(scenes.LEDGER[3:], scenes.balance(scenes.LEDGER[:3])) == all_
