"""What is written can be read back, and means the same."""

import json

import pytest
from reference_log import ReferenceLog

from simulator.evidence.checks import check
from simulator.evidence.export import (history_from_jsonl, history_to_jsonl, to_perfetto, trace_from_jsonl,
                                       trace_to_jsonl, trace_to_pandas)
from simulator.evidence.history import History
from simulator.evidence.trace import Trace


def small_trace() -> Trace:
    """A batch is sent and appended, the answer is lost, the leader crashes."""
    trace = Trace()
    producer, broker = trace.node("producer-1", "producer"), trace.node("broker-1", "broker", "b")
    produce, receive, append, produced, drop, crash = (trace.kind(*kind) for kind in (
        ("produce", "send", "{node} sends {count} records"), ("receive", "receive", "{node} receives"),
        ("append", "local", "{node} appends {offset}–{last}"), ("produced", "send", "{node} answers"),
        ("drop", "drop", "lost on its way to {node}"), ("crash", "state", "{node} crashes: {note}")))
    key = trace.keys.code("orders-0")
    sent = trace.add(0.001, produce, producer, broker, key, offset=-1, count=3, value=7)
    arrived = trace.add(0.002, receive, broker, producer, cause=sent)
    stored = trace.add(0.002, append, broker, -1, key, arrived, 0, 3, 0, 7)
    answer = trace.add(0.0025, produced, broker, producer, key, stored, 0, 3, 0, 7)
    trace.add(0.003, drop, producer, broker, cause=answer)
    trace.add(0.004, crash, broker, note="ünlucky")
    return trace


def test_a_trace_read_back_has_the_same_digest():
    trace = small_trace()
    text = trace_to_jsonl(trace)
    assert trace_from_jsonl(text).digest() == trace.digest()
    assert [json.loads(line)["kind"] for line in text.splitlines()[1:]][:2] == ["produce", "receive"]


@pytest.mark.parametrize("bug", ["", "lose", "store twice", "skip"])
def test_a_history_read_back_gets_the_same_report(bug):
    for seed in range(10):
        history = ReferenceLog(seed, bug).run(40)
        text = history_to_jsonl(history)
        again = history_from_jsonl(text)
        assert repr(check(again)) == repr(check(history))
        assert history_to_jsonl(again) == text
        assert again.op() == history.op()


def test_transactions_are_read_back_with_their_outcomes_and_times():
    history = History()
    history.transaction("p", ("send", "x", 1, 0), ("send", "y", 1, 0), began=1.0, asked=3.0, time=3.1)
    history.transaction("p", ("send", "x", 2, 1), type="fail", began=4.0, time=5.0)
    history.poll("c", {"x": [(0, 1)]}, time=2.0)
    again = history_from_jsonl(history_to_jsonl(history))
    assert again.transactions.rows.tolist() == history.transactions.rows.tolist()
    assert repr(check(again)) == repr(check(history)) and check(again).of("dirty read")


def test_what_is_not_an_export_is_refused():
    with pytest.raises(ValueError, match="no 'history'"):
        history_from_jsonl('{"trace": 1}\n')
    with pytest.raises(ValueError, match="no 'trace'"):
        trace_from_jsonl('{"history": 1}\n')


def test_a_frame_has_names_for_codes():
    frame = trace_to_pandas(small_trace())
    assert frame.loc[2, ["kind", "node", "key", "count", "value"]].tolist() == ["append", "broker-1", "orders-0", 3, 7]


def test_perfetto_gets_threads_slices_arrows_and_marks():
    trace = json.loads(to_perfetto(small_trace()))
    by_phase = lambda phase: [event for event in trace["traceEvents"] if event["ph"] == phase]
    assert [event["args"]["name"] for event in by_phase("M")] == ["producer-1 (producer)", "broker-1 (broker)"]
    assert {event["id"] for event in by_phase("s")} == {event["id"] for event in by_phase("f")} == {0, 3}
    assert all(any(slice["ts"] == end["ts"] and slice["tid"] == end["tid"] for slice in by_phase("X"))
               for end in by_phase("s") + by_phase("f"))  # an arrow needs a slice at both ends
    assert [event["name"] for event in by_phase("i")] == ["crash"] and not trace["otherData"]["notice"]
    assert by_phase("X")[0]["ts"] == pytest.approx(1000)


def test_perfetto_says_what_it_leaves_out():
    trace = json.loads(to_perfetto(small_trace(), limit=2))
    names = [event["name"] for event in trace["traceEvents"] if event["ph"] != "M"]
    assert "crash" in names and "append" not in names
    assert "3 events left out: after the first 2 only state changes are here" in names
