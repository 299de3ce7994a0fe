"""An explanation names the events that decided an anomaly, and leaves the rest out."""

import pytest

from simulator.evidence.checks import check
from simulator.evidence.history import OK, History
from simulator.evidence.trace import Trace
from simulator.evidence.why import LINES, story, why

KINDS = {
    "produce": ("send", "{node} sends {count} records to {peer}"),
    "receive": ("receive", "{node} receives it from {peer}"),
    "drop": ("drop", "what {peer} sent never reaches {node}"),
    "produced": ("send", "{node} answers {peer}"),
    "heartbeat": ("send", "{node} tells {peer} that it is alive"),
    "append": ("local", "{node} appends offsets {offset}–{last} of {key}"),
    "replicate": ("local", "{node} copies offsets {offset}–{last} of {key}"),
    "acknowledged": ("local", "{node} learns that offsets {offset}–{last} are written"),
    "retry": ("local", "{node} will send {count} records again"),
    "crash": ("state", "{node} crashes"),
    "restart": ("state", "{node} starts again"),
    "fenced": ("state", "{node} fences {peer}"),
    "elected": ("state", "{node} becomes leader of {key}; its log ends at {offset}"),
    "truncate": ("state", "{node} cuts its log of {key} back to {offset}"),
}


class Scene:
    """A history and a trace of the same little cluster, written together."""

    def __init__(self):
        self.history, self.trace = History(), Trace()
        names = ("producer-1", "broker-1", "broker-2", "controller")
        self.nodes = {name: self.trace.node(name, name.split("-")[0]) for name in names}
        self.kinds = {name: self.trace.kind(name, *rest) for name, rest in KINDS.items()}
        self.key = self.trace.keys.code("orders-0")
        self.history.keys.code("orders-0")

    def event(self, time, kind, node, peer=None, cause=-1, key=True, **columns) -> int:
        return self.trace.add(time, self.kinds[kind], self.nodes[node], self.nodes.get(peer, -1),
                              self.key if key else -1, cause, **columns)

    def batch(self, time: float, value: int, offset: int, count: int = 3, leader: str = "broker-1",
              follower: str = "") -> None:
        """A batch is sent, appended, copied if there is a follower, and acknowledged."""
        records = dict(count=count, value=value)
        sent = self.event(time, "produce", "producer-1", leader, **records)
        arrived = self.event(time + 0.001, "receive", leader, "producer-1", sent, key=False)
        stored = self.event(time + 0.001, "append", leader, cause=arrived, offset=offset, **records)
        if follower:
            self.event(time + 0.002, "replicate", follower, cause=stored, offset=offset, **records)
        answer = self.event(time + 0.003, "produced", leader, "producer-1", stored, offset=offset, **records)
        back = self.event(time + 0.004, "receive", "producer-1", leader, answer, key=False)
        self.event(time + 0.004, "acknowledged", "producer-1", cause=back, offset=offset, **records)
        op, process = self.history.op(), self.history.processes.code("producer-1")
        self.history.sent(op, process, 0, value, count, offset, OK, 0, time, time + 0.004, sent)


def lost_with_its_leader() -> Scene:
    """acks=1: values 3 to 5 are acknowledged by a leader that dies before any follower has them."""
    scene = Scene()
    scene.batch(1.0, 0, 0, follower="broker-2")
    for i in range(100):
        scene.event(1.1 + i / 1000, "heartbeat", "broker-2", "controller", key=False)
    scene.batch(2.0, 3, 3)
    scene.event(2.1, "crash", "broker-1", key=False)
    fenced = scene.event(11.0, "fenced", "controller", "broker-1", key=False)
    scene.event(11.1, "elected", "broker-2", cause=fenced, offset=3, epoch=1)
    scene.batch(12.0, 6, 3, leader="broker-2")
    scene.event(30.0, "restart", "broker-1", key=False)
    scene.event(31.0, "truncate", "broker-1", offset=3, count=3, value=3)
    scene.history.poll("c", {"orders-0": [(0, 0), (1, 1), (2, 2), (3, 6), (4, 7), (5, 8)]})
    return scene


def test_a_lost_write_is_told_from_send_to_truncation():
    scene = lost_with_its_leader()
    anomaly, = check(scene.history).of("lost write")
    assert anomaly.records == ((3, 5),)
    told = [line.sentence for line in why(scene.history, scene.trace, anomaly).lines]
    assert told == [
        "producer-1 sends 3 records to broker-1", "broker-1 appends offsets 3–5 of orders-0",
        "producer-1 learns that offsets 3–5 are written", "no other replica ever copied value 3", "broker-1 crashes",
        "controller fences broker-1", "broker-2 becomes leader of orders-0; its log ends at 3", "broker-1 starts again",
        "broker-1 cuts its log of orders-0 back to 3"]


def test_an_explanation_ends_with_what_it_explains_and_links_to_the_trace():
    scene = lost_with_its_leader()
    anomaly, = check(scene.history).of("lost write")
    explanation = why(scene.history, scene.trace, anomaly)
    assert anomaly.sentence in str(explanation).splitlines()[-1]
    assert all(line.event == -1 or scene.trace.describe(line.event) == line.sentence for line in explanation.lines)
    assert explanation._repr_html_().count("<tr>") == len(explanation.lines) + 1
    assert [line.time for line in explanation.lines] == sorted(line.time for line in explanation.lines)


def test_a_copied_record_is_not_said_to_be_uncopied():
    scene = lost_with_its_leader()
    scene.event(2.01, "replicate", "broker-2", offset=3, count=3, value=3)
    anomaly, = check(scene.history).of("lost write")
    assert "no other replica" not in str(why(scene.history, scene.trace, anomaly))


def test_a_duplicate_is_told_by_the_answer_that_got_lost():
    scene = Scene()
    sent = scene.event(1.0, "produce", "producer-1", "broker-1", count=2, value=0)
    arrived = scene.event(1.1, "receive", "broker-1", "producer-1", sent, key=False)
    stored = scene.event(1.1, "append", "broker-1", cause=arrived, offset=0, count=2, value=0)
    answer = scene.event(1.1, "produced", "broker-1", "producer-1", stored, offset=0, count=2, value=0)
    scene.event(1.2, "drop", "producer-1", "broker-1", answer, key=False)
    scene.event(5.0, "retry", "producer-1", count=2, value=0)
    scene.batch(5.1, 0, 2, count=2)
    scene.history.poll("c", {"orders-0": [(0, 0), (1, 1), (2, 0), (3, 1)]})
    anomaly, = check(scene.history).of("duplicate")
    assert [line.sentence for line in why(scene.history, scene.trace, anomaly).lines] == [
        "producer-1 sends 2 records to broker-1", "broker-1 appends offsets 0–1 of orders-0",
        "what broker-1 sent never reaches producer-1", "producer-1 will send 2 records again",
        "producer-1 sends 2 records to broker-1", "broker-1 appends offsets 2–3 of orders-0",
        "producer-1 learns that offsets 2–3 are written"]


def test_trouble_that_began_before_belongs_to_the_story_but_old_recoveries_do_not():
    scene = Scene()
    scene.event(0.1, "restart", "broker-2", key=False)
    scene.event(0.2, "crash", "broker-1", key=False)
    scene.batch(1.0, 0, 0, leader="broker-1", follower="broker-2")
    scene.batch(2.0, 1, 5, leader="broker-2", count=1)
    scene.history.poll("c", {"orders-0": [(5, 1)]})
    told = str(why(scene.history, scene.trace, check(scene.history).of("lost write")[0]))
    assert "broker-1 crashes" in told and "starts again" not in told


def test_never_more_than_a_dozen_lines():
    scene = lost_with_its_leader()
    for i in range(50):
        scene.event(2.2 + i, "crash" if i % 2 else "elected", ("broker-1", "broker-2")[i % 3 % 2], offset=i)
    anomaly, = check(scene.history).of("lost write")
    assert len(why(scene.history, scene.trace, anomaly).lines) <= LINES + 1


def test_without_a_trace_it_says_so():
    scene = lost_with_its_leader()
    anomaly, = check(scene.history).of("lost write")
    assert "No trace was kept" in str(why(scene.history, Trace(enabled=False), anomaly))


@pytest.mark.parametrize("kind", ["lost write", "inconsistent offset"])
def test_a_trace_of_something_else_does_no_harm(kind):
    scene = lost_with_its_leader()
    other = Trace()
    other.add(0.0, other.kind("tick", "local", "{node} ticks"), other.node("clock", "queue"))
    assert anomaly_ending(why(scene.history, other, check(scene.history).of(kind)[0]))


def anomaly_ending(explanation) -> bool:
    return not explanation.lines and explanation.ending.startswith("So: ")


# The story

def test_a_story_tells_state_records_and_losses_but_no_small_talk():
    told = str(story(lost_with_its_leader().trace))
    assert "broker-1 crashes" in told and "appends offsets 0–2" in told
    assert "alive" not in told and "receives" not in told and "left out" not in told


def test_a_story_that_is_too_long_keeps_the_turning_points_and_says_so():
    scene = lost_with_its_leader()
    told = story(scene.trace, limit=6)
    assert [line.sentence.split()[1] for line in told.lines] == ["crashes", "fences", "becomes", "starts", "cuts"]
    assert "7 events left out" in told.ending
    assert len(story(scene.trace, limit=3).lines) == 3


def test_a_story_can_be_narrowed_down():
    trace = lost_with_its_leader().trace
    assert {line.node for line in story(trace, node="broker-2").lines} == {"broker-2"}
    assert all(2 <= line.time <= 12 for line in story(trace, since=2, until=12).lines)
    assert "fences" not in str(story(trace, key="orders-0"))
    assert not story(trace, key="nothing").lines and not story(Trace()).lines
