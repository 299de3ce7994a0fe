"""One client and every broker: what each outcome means, brokers that are not there, and the mock's known answers.

Apache Kafka is asked in test_kafka_recorder.py, whose node runs already; the whole table is made by the lab's notebook.
"""
import time
import urllib.request
from http.server import ThreadingHTTPServer
from threading import Event, Thread

import nbformat
import pytest
from classroom import notebooks
from classroom.build import execute
from classroom.places import LABS
from confluent_kafka import KafkaError, KafkaException

from labs import kafka_wire, needs, wire_calls, wire_client
from labs.kafka_wire import Broker, Outcome, interview, outcome
from labs.servers import mock_kafka, redpanda, seaweedfs_kafka
from labs.servers.process import HOST

LAB = LABS / "kafka-wire.md"
WITHOUT = """from labs.servers import kafka_install, mock_kafka, redpanda, seaweedfs, seaweedfs_kafka
for module in (kafka_install, mock_kafka, redpanda, seaweedfs, seaweedfs_kafka):
    module.find = lambda: None"""


def refusing(code: int):
    def call(bootstrap, topic):
        raise KafkaException(KafkaError(code))
    return call


def lying(bootstrap, topic):
    wire_client.expect([1], [3], "read_committed begins with")


# What an outcome means

@pytest.mark.parametrize("call, expected", [
    (lambda bootstrap, topic: None, "✓"),
    (lying, "≠ wrong: read_committed begins with: [1], not [3]"),
    (refusing(KafkaError.UNSUPPORTED_VERSION), "✗ refused: UNSUPPORTED_VERSION"),
    (refusing(KafkaError._TIMED_OUT), "… not in time (0 s)"),
    (lambda bootstrap, topic: wire_client.take(lambda timeout: None, 1, patience=0.01), "… not in time (0 s)")])
def test_every_outcome_has_a_mark_and_words(call, expected):
    assert str(outcome(call, "nowhere", "topic")) == expected


def test_nobody_waits_for_a_call_for_ever(monkeypatch):
    monkeypatch.setattr(kafka_wire, "DEADLINE", 0.2)
    for_ever, began = Event(), time.monotonic()
    assert outcome(lambda bootstrap, topic: for_ever.wait(), "nowhere", "topic").kind == "silent"
    assert time.monotonic() - began < 15  # not the 20 s of a real call, nor for ever
    for_ever.set()


def test_a_mistake_of_ours_is_no_answer_of_a_broker():
    with pytest.raises(ZeroDivisionError):
        outcome(lambda bootstrap, topic: 1 / 0, "nowhere", "topic")


def test_what_takes_a_moment_is_waited_for_and_no_longer(monkeypatch):
    monkeypatch.setattr(wire_client, "PATIENCE", 0.3)
    seen = iter((1, 1, 2, 2))
    wire_client.become(lambda: next(seen), 2, "partitions")
    with pytest.raises(wire_calls.Wrong, match="partitions: 1, not 2"):
        wire_client.become(lambda: 1, 2, "partitions")


class Message:
    def __init__(self, value: int):
        self.value, self.error = lambda: b"%d" % value, lambda: None


@pytest.mark.parametrize("given, wrong", [
    ([*range(20)], ""), ([*range(19), 18], "(19, True), not (20, True)"), ([1, 0, *range(2, 20)], "(20, False)")])
def test_every_record_once_and_in_order(given, wrong):
    messages = iter(map(Message, given))
    messages = wire_client.take(lambda timeout: next(messages), 20)
    if wrong:
        with pytest.raises(wire_calls.Wrong) as seen:
            wire_client.all_read(messages)
        assert wrong in str(seen.value)
    else:
        wire_client.all_read(messages)


def test_every_call_says_what_has_to_be_true():
    assert all(call.__doc__ and call.__doc__.endswith(".") for call in wire_calls.CALLS.values())
    assert len(set(kafka_wire.topics())) == len(wire_calls.CALLS)


# Brokers that are not there

def test_a_broker_that_is_not_found_says_so_in_every_cell_and_how_to_get_it():
    absent = Broker(lambda: None, lambda: "get it", lambda: pytest.fail("was started"))
    answers = {"Redpanda": interview(absent)}
    assert answers == {"Redpanda": "not found"}
    assert set(kafka_wire.table(answers).data["Redpanda"]) == {"not found"}
    assert kafka_wire.how_to_get(answers) == f"Redpanda: {redpanda.missing()}."
    assert kafka_wire.everywhere(answers) == [] and kafka_wire.of_kind(answers, "wrong") == answers


def test_a_broker_that_does_not_start_says_that():
    def start():
        raise RuntimeError("redpanda ended with code 1; its log ends with\nmany lines")
    answers = kafka_wire.interview_all({"Redpanda": Broker(lambda: "here", lambda: "", start)})
    assert answers == {"Redpanda": "did not start: redpanda ended with code 1; its log ends with"}


def test_what_works_everywhere_works_at_every_broker_that_answered():
    works, refused = Outcome("works", "", 0.1), Outcome("refused", "no", 0.1)
    first, *others = wire_calls.CALLS
    answers = {"a": dict.fromkeys(wire_calls.CALLS, works), "b": {first: works, **dict.fromkeys(others, refused)},
               "c": "not found"}
    assert kafka_wire.everywhere(answers) == [first]
    assert kafka_wire.of_kind(answers, "refused") == {"a": "none", "b": "; ".join(others), "c": "not found"}


def test_without_any_broker_the_lab_runs_and_guesses_nothing():
    nb = notebooks.read(LAB)
    nb.cells.insert(0, nbformat.v4.new_code_cell(WITHOUT))
    cells = notebooks.code_cells(execute(nb, LABS))
    table = next(str(cell.outputs) for cell in cells if "kafka_wire.table" in cell.source)
    assert table.count("not found") >= 4 * len(wire_calls.CALLS) and "✓" not in table
    said = next(str(cell.outputs) for cell in cells if "how_to_get" in cell.source)
    for module in (mock_kafka, redpanda, seaweedfs_kafka):
        assert module.missing()[:60] in said


def test_a_cell_that_needs_redpanda_says_how_to_get_it(monkeypatch):
    redpanda.find.cache_clear()
    monkeypatch.setattr(redpanda.process, "find", lambda name: None)
    monkeypatch.setattr(redpanda, "succeeds", lambda *arguments: False)
    (line,) = needs.unless_missing(["%%needs redpanda\n", "1 / 0\n"])
    assert "Redpanda is not in this environment" in line and f"docker pull {redpanda.IMAGE}" in line
    with pytest.raises(FileNotFoundError, match="docs.redpanda.com"):
        redpanda.Redpanda().start()
    redpanda.find.cache_clear()


def test_redpanda_is_told_to_stay_on_loopback(tmp_path):
    node = redpanda.Redpanda()
    arguments = node.arguments(tmp_path)
    addresses = [argument.partition("=")[2] for argument in arguments if "-addr=" in argument]
    assert len(addresses) == 7 and all(address.startswith(f"{HOST}:") for address in addresses)
    assert f"--kafka-addr={node.bootstrap}" in arguments and f"--advertise-kafka-addr={node.bootstrap}" in arguments
    assert len({node.admin_port, node.rpc, *node.ports.values()}) == 5 and str(tmp_path) in node.config(tmp_path)


# The others

def test_the_registry_knows_no_schema():
    registry = ThreadingHTTPServer((HOST, 0), seaweedfs_kafka.EmptyRegistry)
    Thread(target=registry.serve_forever, daemon=True).start()
    try:
        with urllib.request.urlopen(f"http://{HOST}:{registry.server_port}/subjects", timeout=5) as answer:
            assert answer.read() == b"[]"
    finally:
        registry.shutdown()
        registry.server_close()


def test_every_gateway_has_an_address_of_its_own_where_there_are_many(monkeypatch):
    assert seaweedfs_kafka.SeaweedKafka().bootstrap.startswith("127.")
    monkeypatch.setattr(seaweedfs_kafka.sys, "platform", "darwin")
    assert seaweedfs_kafka.SeaweedKafka().bootstrap == f"{HOST}:9093"


@pytest.mark.real
def test_the_mock_stores_records_and_keeps_no_promise_of_a_transaction():
    """Without the calls that it does not answer at all: those only cost time."""
    if not mock_kafka.find():
        pytest.skip(mock_kafka.missing())
    names = ["produce with acks=all, read back", "headers and the client's timestamps",
             "group, KIP-848 protocol: commit, resume", "transaction, aborted", "the older of two producers is fenced",
             "delete records before an offset"]
    with mock_kafka.cluster(1, dict.fromkeys(kafka_wire.topics(), 1)) as mock:
        answers = kafka_wire.ask(mock.bootstrap, {name: wire_calls.CALLS[name] for name in names})
    assert [came.kind for came in answers.values()] == ["works", "works", "works", "wrong", "wrong", "refused"]
