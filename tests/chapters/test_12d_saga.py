"""What chapter 12d says about sagas is so: its own cells are run, and the prose is held to what they found."""

import pytest
from reading import Chapter
from scenes import sagas as scenes

SOURCE = Chapter("12d-saga")
says = SOURCE.says


def test_an_orchestrator_without_notes_leaves_sagas_half_done(chapter):
    assert chapter.run.check().broken == ["torn transaction"] and scenes.broken(chapter.run) == 9
    rows = chapter.run.history.transactions.rows
    assert (rows["type"] == 2).sum() == 5 and says("Five sagas were under way")
    assert scenes.forgetful(durable=True).check().ok


def test_notes_without_a_key_do_steps_twice():
    run = scenes.without_a_key()
    assert {"duplicate", "aborted read"} <= set(run.check().broken) and says("a compensation takes back one")
    assert "shipping" in {anomaly.key for anomaly in run.anomalies if anomaly.kind == "duplicate"}  # two parcels


def test_the_share_of_undone_sagas():
    assert scenes.undone(4, 0.05) == pytest.approx(18.5, abs=0.1)
    assert scenes.undone(8, 0.05) == pytest.approx(33.7, abs=0.1) and says("a third goes back")
    measured = float(scenes.compensations(8, 0.05).caption.split("measured ")[1].split()[0])
    assert measured == pytest.approx(33.7, abs=8)


def test_a_pivot_in_the_right_place_refunds_nobody(chapter):
    plans = chapter.plans
    assert plans["sagas"].tolist() == [571, 571] and "571" in "".join(SOURCE.code)
    assert plans["refunds"][1] == 0 and plans["refunds"][0] / 571 == pytest.approx(0.8 * (1 - 0.8 ** 3), abs=0.06)


def test_the_step_in_doubt_is_paid_for(chapter):
    assert chapter.leaky.check().broken == ["aborted read"] and scenes.broken(chapter.leaky) == 10
    times = {kind: chapter.leaky.trace.events.rows["time"][chapter.leaky.trace.where(kind)]
             for kind in ("timeout", "resume")}
    assert times["timeout"][0] == pytest.approx(7.0, abs=0.05) and times["resume"][0] == 9
    assert chapter.sound.check().ok and len(chapter.sound.trace.where("nothing_to_undo")) == 11


def test_pending_is_the_sum_of_the_steps():
    waits = [scenes._steady(step).history.transactions.rows for step in scenes.STEP_TIMES]
    for step, rows in zip(scenes.STEP_TIMES, waits):
        assert (rows["completed"] - rows["began"]).mean() == pytest.approx(4 * step, rel=0.1)
    assert scenes.theory.little(20, 6 * 0.5) == 60
