"""What an answer of Kafka means: against librdkafka's mock cluster, against answers made up here, and against Kafka."""
import itertools

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from labs import kafka_wire
from labs.recorders.kafka import KafkaRecorder, Reader, Recording, Sender, count_partitions, read_all, runs
from labs.recorders.kafka_group import Group
from labs.servers.process import wait_until
from simulator.evidence.checks import Guarantees, check
from simulator.evidence.history import FAIL, INFO, OK, UNKNOWN

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def mock():
    """The bootstrap address of a mock cluster of one broker; topics appear when asked for, with four partitions."""
    host = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    yield ",".join(str(broker).split("/")[0] for broker in host.list_topics(timeout=60).brokers.values())


@pytest.fixture
def recording(mock):
    topic = f"topic-{next(NUMBERS)}"
    Producer({"bootstrap.servers": mock}).list_topics(topic, timeout=60)
    return Recording(mock, topic)


def rows(history, *columns):
    return [tuple(row[column] for column in columns) for row in history.sends.rows]


def test_runs_join_where_value_and_offset_both_go_up():
    assert runs([(0, 5, 1), (0, 6, 2), (0, 8, 3), (1, 9, 4), (1, 10, 4)]) == \
        [(0, 5, 1, 2), (0, 8, 3, 1), (1, 9, 4, 1), (1, 10, 4, 1)]


def test_what_is_acknowledged_has_an_offset_and_is_read_back(recording):
    sender = Sender(recording)
    sender.send(10)
    assert sender.flush() == 0
    history = read_all(recording)
    assert history.drained and check(history).ok and len(history.acknowledged()) == 10
    assert sorted(rows(history, "key", "value", "offset")) == sorted((n % 4, n // 4, n // 4) for n in range(10))
    assert [len(times) for times in history.created.values()] == [3, 3, 2, 2]


def test_acks_0_is_ok_without_an_offset(recording):
    sender = Sender(recording, acks=0)
    sender.send(4)
    sender.flush()
    assert rows(recording.history, "type", "offset") == [(OK, UNKNOWN)] * 4


class Report:
    def __init__(self, offset=None):
        self._offset = offset

    def offset(self):
        return self._offset


def reported(recording, error, **options):
    sender = Sender(recording, **options)
    value = recording.new_value(0, 0.0)
    sender._reported(recording.op(), 0, value, 0.0, KafkaError(error), Report(), None)
    return recording.history.sends.rows["type"][-1]


def test_a_refusal_counts_as_one_only_if_nothing_was_in_doubt(recording):
    assert reported(recording, KafkaError.MSG_SIZE_TOO_LARGE) == FAIL
    assert reported(recording, KafkaError._MSG_TIMED_OUT) == INFO
    assert reported(recording, KafkaError.NOT_ENOUGH_REPLICAS) == INFO  # an earlier attempt may have been appended
    assert reported(recording, KafkaError.NOT_ENOUGH_REPLICAS, idempotence=False, retries=0) == FAIL
    assert reported(recording, KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND, idempotence=False, retries=0) == INFO
    assert recording.troubles["NOT_ENOUGH_REPLICAS"] == 2


def test_what_nobody_answered_is_unknown_in_the_end(mock, recording):
    sender = Sender(recording, bootstrap_servers="127.0.0.1:9")
    sender.send(3)
    sender.give_up()
    assert rows(recording.history, "type") == [(INFO,)] * 3


class Scripted:
    """A producer whose next calls raise what they are told to."""

    def __init__(self, **errors):
        self.errors = errors

    def __getattr__(self, name):
        def call(*_):
            if error := self.errors.pop(name, None):
                raise KafkaException(error)
            return 0
        return call


class Abortable(KafkaError):
    def txn_requires_abort(self):
        return True


def end_of(recording, end="commit", **errors):
    sender = Sender(recording)
    sender.producer = Scripted(**errors)
    sender.begin()
    sender._transaction.records += [(0, recording.new_value(0, 0.0), 7), (1, recording.new_value(1, 0.0), 9)]
    return getattr(sender, end)(), sender


def test_a_transaction_is_one_operation_with_one_outcome(recording):
    assert end_of(recording)[0] == "ok"
    assert rows(recording.history, "op", "type", "offset") == [(0, OK, 7), (0, OK, 9)]


@pytest.mark.parametrize("end, errors, outcome, fenced", [
    ("abort", {}, "fail", False),
    ("abort", {"abort_transaction": KafkaError(KafkaError._TIMED_OUT)}, "info", False),
    ("commit", {"commit_transaction": KafkaError(KafkaError._TIMED_OUT)}, "info", False),
    ("commit", {"commit_transaction": KafkaError(KafkaError._FENCED)}, "info", True),
    ("commit", {"commit_transaction": Abortable(KafkaError.INVALID_TXN_STATE)}, "fail", False),
])
def test_the_end_of_a_transaction_says_what_is_known(recording, end, errors, outcome, fenced):
    told, sender = end_of(recording, end, **errors)
    assert (told, sender.fenced) == (outcome, fenced)


def test_a_topic_that_is_not_there_is_refused_by_name():
    host = Producer({"test.mock.num.brokers": 1, "allow.auto.create.topics": False, "log_level": 0})
    broker = next(iter(host.list_topics(timeout=60).brokers.values()))
    with pytest.raises(KafkaException):
        count_partitions("127.0.0.1:9", "orders", timeout=0.5)
    assert count_partitions(str(broker).split("/")[0], "orders") == 4


@pytest.mark.parametrize("field, options", [("acks", {"acks": 2}), ("idempotence", {"acks": 1, "idempotence": True})])
def test_nonsense_is_refused_by_name(recording, field, options):
    with pytest.raises(ValueError, match=f"^{field}: {options[field]}"):
        Sender(recording, **options)
    with pytest.raises(ValueError, match="^rate: 0"):
        KafkaRecorder("nowhere", rate=0)


def test_order_is_promised_when_a_retry_cannot_overtake(recording):
    promised = [Sender(recording, **options).in_order for options in
                ({}, {"acks": 1}, {"acks": 1, "max_in_flight": 1}, {"acks": 1, "retries": 0})]
    assert promised == [True, False, True, True]


def test_a_recorder_sends_at_its_rate_and_misses_nothing(recording):
    with KafkaRecorder(recording.bootstrap, recording.topic, rate=200) as recorder:
        recorder.run_for(0.5)
        recorder.wait_for_recovery()
        history = recorder.finish()
    assert history.drained and check(history, recorder.guarantees).ok
    assert 4 <= history.records_sent() <= 200 * recorder.recording.clock() + 1
    assert len(history.latencies()) == history.records_sent()
    due = sorted(moment for times in history.created.values() for moment in times)
    assert due == pytest.approx([number / 200 for number in range(len(due))])


def test_what_fails_in_the_background_is_raised(recording, monkeypatch):
    monkeypatch.setattr(Reader, "poll", lambda *_: 1 / 0)
    with KafkaRecorder(recording.bootstrap, recording.topic) as recorder:
        with pytest.raises(ZeroDivisionError):
            for _ in range(600):
                recorder.run_for(0.1)


@pytest.mark.real
def test_what_was_aborted_is_invisible_and_a_zombie_is_fenced(node):
    node.create_topic("transactions", partitions=2)
    recording = Recording(node.bootstrap, "transactions")
    zombie = Sender(recording, "zombie", transactional_id="t")
    zombie.begin()
    zombie.send(4)
    assert zombie.commit() == "ok"
    zombie.begin()
    zombie.send(4)
    assert zombie.abort() == "fail"
    zombie.begin()
    zombie.send(4)
    zombie.flush()
    successor = Sender(recording, "successor", transactional_id="t")
    assert zombie.commit() == "info" and zombie.fenced
    successor.begin()
    successor.send(2)
    assert successor.commit() == "ok" and not successor.fenced
    history = read_all(recording)
    assert history.drained and check(history).ok
    assert history.polls.rows["count"].sum() == 6  # of 14 records in the log


@pytest.mark.real
def test_a_reader_that_does_not_mind_sees_aborted_records(node):
    node.create_topic("aborted", partitions=1)
    recording = Recording(node.bootstrap, "aborted")
    sender = Sender(recording, transactional_id="a")
    sender.begin()
    sender.send(3)
    sender.flush()
    assert sender.abort() == "fail"
    history = read_all(recording, isolation="read_uncommitted")
    assert check(history).broken == ["aborted read"]


@pytest.mark.parametrize("field, options", [("protocol", {"protocol": "eager"})])
def test_a_group_refuses_nonsense_by_name(recording, field, options):
    with pytest.raises(ValueError, match=f"^{field}: '{options[field]}'"):
        Group(recording, **options)


def test_members_of_a_group_own_every_partition_and_read_all(recording):
    """Under KIP-848, which the mock cluster does well; its classic rebalances take seconds."""
    sender = Sender(recording)
    sender.send(40)
    sender.flush()
    with Group(recording, "g", "consumer", batch=5) as group:
        first, second = group.join("consumer-1"), group.join("consumer-2")
        group.wait_owned()
        group.wait_read()
        first.kill()
        assert not first.alive and second.alive
    history = read_all(recording)
    assert check(history, Guarantees(subscribe=True)).ok and history.drained
    assert len(first.seen | second.seen) == 40
    assert not second.alive and second.happened("closed")


@pytest.mark.real
@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_member_that_was_away_too_long_may_not_commit(node, protocol):
    """In six attempts at least once: its heartbeat may be faster than its commit, and then it is a member again."""
    refusals = next(filter(None, (late_commit(node, protocol, f"away-{protocol}-{attempt}") for attempt in range(6))),
                    None)
    assert refusals and refusals[0] in {"UNKNOWN_MEMBER_ID", "ILLEGAL_GENERATION", "STALE_MEMBER_EPOCH"}


def late_commit(node, protocol: str, topic: str) -> list[str]:
    """With what the commit of a member was refused that was paused until somebody else had its partition."""
    node.create_topic(topic, partitions=1)
    recording = Recording(node.bootstrap, topic)
    sender = Sender(recording)
    sender.send(10)
    sender.flush()
    with Group(recording, topic, protocol, session_timeout=1.0) as group:
        away = group.join("away")
        away.wait_for("committed")
        commits = len(away.happened("committed"))
        away.order("hold")
        away.pause()
        heir = group.join("heir")
        wait_until(lambda: heir.owned == {0}, 120, "the partition to move")
        away.order("commit")
        away.order("go")
        away.resume()
        away.wait_for_verdict(commits)
        return away.refusals


@pytest.mark.real
def test_every_call_of_the_lab_kafka_wire_works_on_kafka(node):
    kafka_wire.prepare(node.bootstrap)
    assert {call: str(came) for call, came in kafka_wire.ask(node.bootstrap).items() if came.kind != "works"} == {}
