"""Mock brokers in a process of their own: clients reach them, every control works, they die with their parent."""
import json
import os
import subprocess
import sys
import time

import pytest
from living import eventually, is_running

from labs import needs, shares
from labs.members import settings
from labs.recorders.kafka import Recording, Sender
from labs.servers import mock_kafka
from simulator.brokers.kafka.groups import Group
from simulator.evidence.history import FAIL, OK

PARENT = """
import json, time
from labs.servers import mock_kafka
cluster = mock_kafka.cluster(topics={"orders": 1}).start()
print(json.dumps({"pid": cluster.server.pid, "folder": str(cluster.sandbox.folder)}), flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def cluster():
    if not mock_kafka.find():
        pytest.skip(mock_kafka.missing())
    with mock_kafka.cluster(brokers=3, topics={"orders": 3, "tasks": 1}) as cluster:
        yield cluster


def sender(cluster, **options) -> Sender:
    """A producer that has sent one record, so that it knows where to send the next."""
    found = Sender(Recording(cluster.bootstrap, "orders"), **options)
    found.send(partition=0)
    assert found.flush() == 0
    return found


def outcome(sender: Sender) -> tuple[int, str, float]:
    """What became of one more record, under which error, and after how many seconds."""
    sender.send(partition=0)
    assert sender.flush() == 0
    history = sender.recording.history
    row = history.sends.rows[-1]
    return int(row["type"]), history.errors[row["error"]], float(row["completed"] - row["invoked"])


def test_a_library_without_the_symbols_is_one_clear_sentence(tmp_path, monkeypatch):
    (tmp_path / "librdkafka.so").write_bytes(b"rd_kafka_mock_cluster_new")
    assert not mock_kafka.has_mock(tmp_path / "librdkafka.so")
    monkeypatch.setattr(mock_kafka, "find", lambda: None)
    with pytest.raises(FileNotFoundError, match="the mock cluster of librdkafka is not in this environment: run `pip"):
        mock_kafka.cluster().start()
    line, = needs.unless_missing(["%%needs mock-kafka\n", "1 / 0\n"])
    assert line.startswith("print('Not run: the mock cluster of librdkafka is not")


def test_numbers_that_make_no_sense_are_refused_by_name(cluster):
    with pytest.raises(ValueError, match="brokers: 0 is not"):
        mock_kafka.cluster(brokers=0)
    with pytest.raises(ValueError, match="broker: 4 is not one of 1 to 3"):
        cluster.down(4)


@pytest.mark.real
def test_a_refusal_that_may_be_retried_is_retried_and_others_are_not(cluster):
    patient = sender(cluster)
    cluster.refuse(mock_kafka.NOT_ENOUGH_REPLICAS, mock_kafka.NOT_ENOUGH_REPLICAS)
    kind, _, seconds = outcome(patient)
    assert kind == OK and seconds > 0.1  # two back-offs, the second twice the first
    cluster.refuse(mock_kafka.NOT_ENOUGH_REPLICAS)
    assert outcome(sender_without_retries(cluster))[:2] == (OK, "")  # the refusal was for the record before
    cluster.refuse(mock_kafka.MESSAGE_TOO_LARGE)
    assert outcome(patient)[:2] == (FAIL, "MSG_SIZE_TOO_LARGE")


def sender_without_retries(cluster) -> Sender:
    """A producer whose first record meets a refusal and is not sent again."""
    found = Sender(Recording(cluster.bootstrap, "orders"), idempotence=False, retries=0)
    found.send(partition=0)
    found.flush()
    assert found.recording.history.sends.rows["type"].tolist() == [FAIL]
    return found


@pytest.mark.real
def test_leaders_move_distance_costs_and_a_broker_can_be_away(cluster):
    patient = sender(cluster)
    cluster.lead("orders", 0, 2)
    assert outcome(patient)[0] == OK
    cluster.rtt(2, 0.3)
    assert outcome(patient)[2] >= 0.3
    cluster.rtt(2, 0)
    cluster.down(2)
    patient.send(partition=0)
    assert patient.flush(0.5) == 1  # nobody leads the partition
    cluster.up(2)
    assert patient.flush() == 0
    assert [what for _, what, _ in cluster.events[-5:]] == ["leads orders-0", "0.3 s away", "0 s away", "down", "up"]


@pytest.mark.real
def test_a_frozen_workers_records_come_back_after_the_lock_and_a_poison_one_is_given_up(cluster):
    cluster.share_groups(lock_duration=2.0, max_delivery_attempts=3, session_timeout=20.0, heartbeat_interval=0.3)
    tasks = Sender(Recording(cluster.bootstrap, "tasks"))
    frozen, worker = shares.hold(cluster), shares.Worker(cluster)
    sent = time.monotonic()
    tasks.send(3)
    tasks.flush()
    shares.wait_held(frozen, 3)
    frozen.pause()
    assert cluster.share("workers", "tasks") == 2
    late = worker.work(120.0, since=sent, enough=3)
    assert [(delivery.value, delivery.count) for delivery in late] == [(0, 2), (1, 2), (2, 2)]
    assert late[0].time > 2.0  # never before the lock has run out
    tasks.send(2)
    tasks.flush()
    verdicts = {3: "release", 4: "reject"}.get
    seen = worker.work(120.0, verdicts, enough=4) + worker.work(1.0, verdicts)  # and nothing comes after
    worker.close()
    assert [delivery.count for delivery in seen if delivery.value == 3] == [1, 2, 3]
    assert [delivery.count for delivery in seen if delivery.value == 4] == [1]


@pytest.mark.real
def test_the_brokers_die_with_their_parent(cluster):
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    told = json.loads(parent.stdout.readline())
    parent.kill()
    parent.wait()
    assert eventually(lambda: not is_running(told["pid"]) and not os.path.exists(told["folder"]))


def test_a_groups_settings_are_librdkafkas():
    eager = settings(Group(session_timeout=3.0, heartbeat_interval=0.5), "consumer-1")
    assert (eager["session.timeout.ms"], eager["heartbeat.interval.ms"]) == (3000, 500)
    assert eager["partition.assignment.strategy"] == "range" and "group.instance.id" not in eager
    static = settings(Group(protocol="consumer", group_instance_id=True), "consumer-1")
    assert static["group.protocol"] == "consumer" and static["group.instance.id"] == "consumer-1"
    assert "session.timeout.ms" not in static  # the broker's to say
