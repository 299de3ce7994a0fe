"""A correct log never yields an anomaly, a seeded bug always does, and batches change nothing. Many schedules each."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference_log import ReferenceLog

from simulator.evidence.checks import Guarantees, check
from simulator.evidence.history import OK, TYPES, History
from simulator.evidence.keylog import KeyLog

QUIET = dict(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@settings(max_examples=250, **QUIET)
@given(st.integers(0, 2**32), st.integers(5, 60))
def test_a_correct_log_yields_no_anomaly(seed, steps):
    report = check(ReferenceLog(seed).run(steps))
    assert not report.broken, repr(report)


def test_a_correct_log_yields_no_anomaly_over_many_schedules():
    for seed in range(1500):
        report = check(ReferenceLog(seed).run(30))
        assert not report.broken, (seed, repr(report))


@pytest.mark.parametrize("bug, kinds", [
    ("lose", {"lost write", "unseen", "inconsistent offset"}), ("store twice", {"duplicate"}),
    ("skip", {"internal poll skip"}), ("go back", {"external nonmonotonic poll"})])
def test_a_seeded_bug_yields_its_anomaly(bug, kinds):
    bitten = 0
    for seed in range(150):
        log = ReferenceLog(seed, bug)
        report = check(log.run(40))
        if log.bitten and bug != "go back":
            bitten += 1
            assert kinds & set(report.broken), (seed, repr(report))
        elif log.bitten:  # the consumer may be gone before it polls again
            bitten += bool(kinds & set(report.broken))
    assert bitten > 50


def expanded(history: History) -> History:
    """The same history with one row a record."""
    single = History()
    single.processes, single.keys, single.marks = history.processes, history.keys, history.marks
    single.drained = history.drained
    for source, target in ((history.sends, single.sends), (history.polls, single.polls)):
        for row in source.rows:
            for i in range(row["count"]):
                copy = row.copy()
                copy["value"], copy["count"] = row["value"] + i, 1
                copy["offset"] = row["offset"] + i if row["offset"] >= 0 else -1
                target.append(*copy.tolist())
    return single


def summary(report) -> dict:
    """Verdicts, records and ranges: what must not depend on how records were batched."""
    return {kind: (verdict.word, verdict.records, sorted(r for anomaly in report.of(kind) for r in anomaly.records))
            for kind, verdict in report.verdicts.items()}


@pytest.mark.parametrize("bug", ["", "lose", "store twice", "skip", "go back"])
def test_batches_are_judged_like_their_records(bug):
    for seed in range(60):
        history = ReferenceLog(seed, bug).run(40)
        assert summary(check(history, limit=None)) == summary(check(expanded(history), limit=None)), seed


rows = st.tuples(*(st.integers(*span) for span in ((0, 4), (-2, 12), (-1, 5), (-2, 12), (-1, 3), (-1, 30))))


def arbitrary(sends, polls, marks) -> History:
    """A history of any rows at all, most of them nonsense."""
    history = History()
    for name in ("a", "b", "c"):
        history.processes.code(name)
    history.keys.code("k")
    history.keys.code("l")
    for process, value, count, offset, kind, op in sends:
        history.sent(op, process, op % 2, value, count, offset, kind, 0, 0.0, 1.0)
    for process, value, count, offset, kind, op in polls:
        history.polled(op, process, op % 2, value, count, offset, kind, 0.0, 1.0)
    for process, key, mark, op in marks:
        history.marks.append(op, process, key, mark, 0.0)
    return history


@settings(max_examples=300, **QUIET)
@given(st.lists(rows, max_size=12), st.lists(rows, max_size=12), st.booleans(),
       st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 2), st.integers(0, 3), st.integers(0, 30)), max_size=4))
def test_the_judge_never_falls_over(sends, polls, drained, marks):
    history = arbitrary(sends, polls, marks)
    history.drained = drained
    report = check(history)
    assert str(report) and repr(report) and report._repr_html_()


sound_rows = st.tuples(*(st.integers(*span) for span in ((0, 2), (0, 9), (1, 5), (-1, 9), (0, 2), (0, 9))))


@settings(max_examples=300, **QUIET)
@given(st.lists(sound_rows, max_size=8), st.lists(sound_rows, min_size=1, max_size=8))
def test_any_overlap_of_batches_is_judged_like_its_records(sends, polls):
    """Rows that overlap in every way, in values and offsets, mean what their records mean, one by one."""
    history = arbitrary(sends, polls, [])
    batches, records = check(history, limit=None), check(expanded(history), limit=None)
    for kind in ("lost write", "unseen", "duplicate", "inconsistent offset", "aborted read", "external poll skip"):
        assert batches.verdicts[kind].records == records.verdicts[kind].records, kind


@pytest.mark.parametrize("value, count, offset", [
    (2**62, 1, 0), (0, 1, 2**62), (-2**62, 5, -7), (0, 2**31 - 1, 0), (2**59, 2**31 - 1, 2**59)])
def test_huge_numbers_are_judged_or_refused_but_never_fatal(value, count, offset):
    history = History()
    for shift in range(3):
        process, key = history.processes.code("p"), history.keys.code("k")
        history.sent(history.op(), process, key, value, count, offset + shift, OK, 0, 0.0, 0.0)
        history.polled(history.op(), process, key, value, count, offset, OK, 0.0, 0.0)
    assert str(check(history))


def test_pieces_are_few():
    """Ten thousand batches, read in other portions than they were sent in, stay a few pieces each."""
    history, generator = History(), random.Random(1)
    process, key = history.processes.code("p"), history.keys.code("k")
    for batch in range(10_000):
        history.sent(history.op(), process, key, batch * 40, 40, batch * 40, OK, 0, 0.0, 0.0)
    position = 0
    while position < 400_000:
        count = min(generator.randint(1, 80), 400_000 - position)
        history.polled(history.op(), process, key, position, count, position, OK, 0.0, 0.0)
        position += count
    log = KeyLog(history.sends.rows, history.polls.rows, history.sends.rows["type"] == OK)
    assert len(log.pieces.row) < 5 * (len(history.sends) + len(history.polls))
    assert check(history, Guarantees()).ok


def test_types_are_the_three_of_jepsen():
    assert TYPES == ("ok", "fail", "info")
