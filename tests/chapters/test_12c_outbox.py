"""What chapter 12c says about outboxes is so: its own cells are run, and the prose is held to what they found."""

import pytest
from reading import Chapter
from scenes import outbox as scenes

SOURCE = Chapter("12c-outbox")
says = SOURCE.says


def because(id: str) -> str:
    """What a reveal gives as its reason."""
    return next(source for source in SOURCE.code if source.startswith(f'reveal("{id}"'))


def test_a_crash_between_two_writes_loses_an_order_or_invents_one(chapter):
    assert chapter.run.check().broken == ["lost write"] and scenes.wrong(chapter.run) == 2
    assert "one more was behind it" in because("12c-lost")
    assert scenes.dual_write("publish").check().broken == ["aborted read"]
    assert 8 < 100 * scenes.wrong(chapter.rolled) / len(chapter.rolled.history.sends) < 12


def test_the_window_is_what_the_line_says():
    assert scenes.wrong_a_month(100, 0.005, 1) == pytest.approx(15, rel=1e-3)
    orders = 100 * 86_400 * 30
    assert 15 / orders * 1e8 == pytest.approx(6, abs=0.5) and says("Six in a hundred million")
    for every in scenes.EVERY:
        found, error = scenes._inconsistent(scenes.DualWrite(gap=0.02), every)
        assert found == pytest.approx(1e6 * scenes.theory.inconsistent(0.0205, every), abs=1.5 * error)
    assert scenes._inconsistent(scenes.Outbox(interval=0.1), 4.0)[0] == 0


def test_a_dying_relay_repeats_the_batch_or_loses_it(chapter):
    assert chapter.dying.check().ok and scenes.repeated(chapter.dying) == 8 and "found eight" in "".join(SOURCE.code)
    assert scenes.wrong(scenes.marked_first()) == 8 and says("eight orders are marked and nowhere else")
    assert chapter.streamed.check().ok and scenes.repeated(chapter.streamed) == 20 > scenes.repeated(chapter.dying)


def test_the_poll_interval_buys_queries_with_time():
    run = scenes.simulate(scenes.Outbox(interval=0.1, query=scenes.QUERY),
                          scenes.Workload(rate=50, keys=None, seconds=20), seed=7, trace=False)
    assert run.end_to_end.mean == pytest.approx(0.05, abs=0.004)  # "50 ms late on average" has an answer
    assert "p99" in "12c-p99" and scenes.theory.tick_delay_quantile(0.4, 0.99) == pytest.approx(0.396)


def test_a_cursor_on_row_numbers_leaves_rows_behind():
    figure = scenes.overtaken_by_length()
    assert float(figure.headline.split()[0]) > 10
    run = scenes.in_flight()
    rows = run.trace.events.rows
    commits = {int(rows["value"][event]): event for event in run.trace.where("commit")}
    assert run.anomalies[0].records[0][0] == 94 and commits[97] < commits[94] and says("Row 94 was inserted, row 97")
    told = [line.sentence for line in run.why().lines]
    assert "the cursor stands at row 97" in told[2] and not any("order 82" in line for line in told)
    assert scenes.overtaken_by_length(transaction=0.01).headline < figure.headline
    with pytest.raises(ValueError, match="mean"):
        scenes.overtaken_by_length(transaction=0.0)


def test_the_table_of_cursors():
    table = scenes.cursors()
    assert table.iloc[:, 1:].to_numpy().tolist() == [[68, 42, 0], [40, 14, 0], [0, 0, 0], [0, 0, 280], [0, 0, 0]]
    assert says("There are 560 ways")


def test_an_outbox_waits_for_the_broker():
    found = scenes.broker_away()
    assert found["outbox"] == 0 and found["dual write"] == pytest.approx(4 * 50, rel=0.2)
