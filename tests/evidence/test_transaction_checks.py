"""Each check of transactions finds the smallest history that breaks it, and leaves its near miss alone."""

import numpy as np
import pytest

from simulator.evidence.checks import Guarantees, check
from simulator.evidence.history import FINAL_READER, History
from simulator.evidence.transaction_checks import KINDS

UNCOMMITTED = Guarantees(isolation="read_uncommitted")


def written(*outcomes: str, **times) -> History:
    """A transaction for each outcome, one record in x and one in y; values and offsets are its number."""
    history = History()
    for number, outcome in enumerate(outcomes):
        history.transaction(f"p{number}", ("send", "x", number, number), ("send", "y", number, number),
                            type=outcome, **times)
    return history


def finally_read(history: History, **keys: list[tuple[int, int]]) -> History:
    history.poll(FINAL_READER, keys)
    history.drained = True
    return history


def cases(history: History, kind: str, guarantees: Guarantees = Guarantees()) -> int:
    return check(history, guarantees).verdicts[kind].cases


def test_a_history_without_transactions_is_not_judged_by_their_checks():
    history = History()
    history.send("p", "x", 0, 0)
    history.poll("c", {"x": [(0, 0)]})
    assert not set(KINDS) & set(check(history).verdicts)


# Torn transactions

def test_half_of_a_committed_transaction_is_torn():
    report = check(finally_read(written("ok"), x=[(0, 0)], y=[]))
    (anomaly,) = report.of("torn transaction")
    assert report.verdicts["torn transaction"].verdict == "broken"
    assert anomaly.key == "y" and anomaly.records == ((0, 0),) and "but not value 0 of y" in anomaly.sentence


def test_half_of_a_transaction_of_unknown_outcome_is_torn():
    assert cases(finally_read(written("info"), x=[(0, 0)], y=[]), "torn transaction") == 1


@pytest.mark.parametrize("history", [
    finally_read(written("ok"), x=[(0, 0)], y=[(0, 0)]),
    finally_read(written("info", "ok"), x=[(1, 1)], y=[(1, 1)]),
    finally_read(written("fail", "ok"), x=[(1, 1)], y=[(1, 1)]),
], ids=["all of it", "none of it", "none of an aborted one"])
def test_all_or_nothing_is_not_torn(history):
    assert cases(history, "torn transaction") == 0


def test_a_lost_committed_transaction_is_lost_and_not_torn():
    report = check(finally_read(written("ok", "ok"), x=[(1, 1)], y=[(1, 1)]))
    assert report.verdicts["lost write"].records == 2 and not report.of("torn transaction")


def test_half_of_an_aborted_transaction_is_an_aborted_read_and_not_torn():
    report = check(finally_read(written("fail"), x=[(0, 0)], y=[]))
    assert report.verdicts["aborted read"].records == 1 and not report.of("torn transaction")
    assert "although its transaction was aborted" in report.of("aborted read")[0].sentence


def test_records_that_were_sent_again_prove_nothing_about_the_first_attempt():
    history = written("info")
    history.transaction("p9", ("send", "x", 0, 5))
    assert cases(finally_read(history, x=[(5, 0)], y=[]), "torn transaction") == 0
    assert cases(history, "duplicate") == 0


def test_without_a_final_reader_nothing_is_torn_for_sure():
    history = written("ok")
    history.poll("c", {"x": [(0, 0)]})
    assert check(history).verdicts["torn transaction"].verdict == "unknown"


# Dirty reads

def test_a_read_before_the_commit_was_asked_for_is_dirty():
    history = written("ok", began=1.0, asked=3.0, time=3.1)
    history.poll("c", {"x": [(0, 0)]}, time=2.0)
    (anomaly,) = check(history).of("dirty read")
    assert anomaly.process == "c" and "asked for at 3.000 s" in anomaly.sentence
    assert check(history, UNCOMMITTED).verdicts["dirty read"].word == "permitted"


def test_a_read_between_the_question_and_the_answer_is_not_dirty():
    history = written("ok", began=1.0, asked=3.0, time=4.0)
    history.poll("c", {"x": [(0, 0)]}, time=3.5)
    assert cases(history, "dirty read") == 0


def test_a_read_of_what_was_aborted_later_is_an_aborted_read():
    history = written("fail", began=1.0, time=4.0)
    history.poll("c", {"x": [(0, 0)]}, time=2.0)
    assert cases(history, "dirty read") == 0 and cases(history, "aborted read") == 1


def test_an_own_record_read_too_early_is_a_precommitted_read():
    history = History()
    history.transaction("p", ("send", "x", 0, 0), ("poll", {"x": [(0, 0)]}), began=1.0, asked=3.0, time=2.0)
    assert cases(history, "dirty read") == 0 and cases(history, "precommitted read") == 1


# Cycles

def crossed(x: tuple[int, int], y: tuple[int, int], outcome: str = "ok") -> History:
    """Two transactions a and b, each with one record in x and in y; the tuples are the offsets of a's and of b's."""
    history = History()
    history.transaction("a", ("send", "x", 1, x[0]), ("send", "y", 1, y[0]))
    history.transaction("b", ("send", "x", 2, x[1]), ("send", "y", 2, y[1]), type=outcome)
    return history


def test_writes_that_interleave_differently_in_two_keys_are_a_cycle_that_kafka_permits():
    report = check(crossed((0, 1), (1, 0)))
    assert report.verdicts["write cycle"].word == "permitted" and "wrote value" in report.of("write cycle")[0].sentence


def test_writes_in_one_order_are_no_cycle():
    assert cases(crossed((0, 1), (0, 1)), "write cycle") == 0


def test_what_was_aborted_is_in_no_cycle():
    assert cases(crossed((0, 1), (1, 0), "fail"), "write cycle") == 0


def circular(back: bool, outcome: str = "ok") -> History:
    """a sends to x and reads from y, b sends to y and, if it goes back, reads what a has sent to x."""
    history = History()
    history.transaction("a", ("send", "x", 1, 0), ("poll", {"y": [(0, 2)]}), type=outcome)
    history.transaction("b", ("send", "y", 2, 0), *([("poll", {"x": [(0, 1)]})] if back else []))
    return history


def test_two_transactions_that_read_each_other_are_a_circle_of_information():
    report = check(circular(back=True))
    assert report.verdicts["read cycle"].verdict == "broken"
    assert "2 transactions in a circle" in report.of("read cycle")[0].sentence
    assert check(circular(back=True), UNCOMMITTED).verdicts["read cycle"].word == "permitted"


def test_information_that_flows_one_way_is_no_circle():
    assert cases(circular(back=False), "read cycle") == 0
    assert cases(circular(back=True, outcome="fail"), "read cycle") == 0


def test_a_circle_of_writes_and_reads_is_told_apart():
    """b read what a sent to x, and b's record in y lies before a's."""
    history = History()
    history.transaction("a", ("send", "x", 1, 0), ("send", "y", 1, 1))
    history.transaction("b", ("send", "y", 2, 0), ("poll", {"x": [(0, 1)]}))
    report = check(history)
    assert report.verdicts["mixed cycle"].word == "permitted"
    assert report.verdicts["read cycle"].cases == report.verdicts["write cycle"].cases == 0


def test_a_longer_circle_is_told_by_its_shortest_way():
    history = History()
    for name, own, other in (("a", "x", "z"), ("b", "y", "x"), ("c", "z", "y")):
        history.transaction(name, ("send", own, 1, 0), ("poll", {other: [(0, 1)]}))
    (anomaly,) = check(history).of("read cycle")
    assert anomaly.count == 3 and "3 transactions in a circle" in anomaly.sentence


# Batches and nonsense

def test_batches_are_judged_record_by_record():
    history = History()
    op, key = history.op(), history.keys.code("x")
    history.sent(op, history.processes.code("p"), key, 10, 4, 0, 0, 0, 0.0, 1.0)
    history.transactions.append(op, 0, 0, 0.0, 0.5, 1.0, -1)
    history.polled(history.op(), history.processes.code(FINAL_READER), key, 10, 3, 0, 0, 2.0, 2.0)
    history.drained = True
    (anomaly,) = check(history).of("torn transaction")
    assert anomaly.records == ((13, 13),) and anomaly.count == 1


def test_odd_rows_do_not_make_the_judge_fall_over():
    history = written("ok")
    history.sent(0, 0, 99, 5, 1, 5, 0, 0, 0.0, 0.0)
    history.sent(0, 0, 0, 5, -3, 5, 0, 0, 0.0, 0.0)
    history.transactions.append(12345, 99, 7, 0.0, np.nan, 0.0, -1)
    report = check(finally_read(history, x=[(0, 0)], y=[(0, 0)]))
    assert not report.of("torn transaction")
