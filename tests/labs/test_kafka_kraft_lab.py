"""The lab on a real Kafka: without one it says what to do and its simulated half runs; its counting and its figure."""
from pathlib import Path

import pytest
from without import cells_of

from labs import figures, kraft, needs
from labs.recorders.kafka import Recording, Sender
from labs.recorders.kafka_share import ShareGroup
from simulator.evidence.checks import check
from simulator.evidence.history import History

LAB = Path(needs.__file__).parent / "kafka-kraft.md"
WITHOUT = ("import os\nos.environ['PATH'] = ''\nos.environ.pop('JAVA_HOME', None)\nos.environ.pop('KAFKA_HOME', None)")


def test_without_kafka_the_lab_says_exactly_what_to_do_and_its_simulated_half_runs():
    cells = cells_of(LAB, WITHOUT, "Apache Kafka is not in this environment (KAFKA_HOME is not set;", "unpack Kafka 4",
                     "apt-get install")
    outputs = [str(cell.outputs) for cell in cells]
    assert any("A leader that dies alone takes 398 acknowledged records along" in output for output in outputs)
    assert any("everything has an owner again" in output for output in outputs)


@pytest.fixture
def history():
    """Three acknowledged records, of which the final reader finds two."""
    history = History()
    for value in range(3):
        history.send("producer", "orders-0", value, value)
    history.poll("final-reader", {"orders-0": [(0, 0), (1, 1)]})
    history.drained = True
    return history


def test_lost_is_acknowledged_and_not_found(history):
    assert kraft.lost(history) == 1
    history.poll("final-reader", {"orders-0": [(2, 2)]})
    assert kraft.lost(history) == 0


def test_the_figure_says_what_it_shows():
    predicted, measured = {0: 398, 1: 398, "all": 0}, {0: 401, 1: 395, "all": 0}
    alone, beside = figures.losses(predicted, seed=7), figures.losses(predicted, measured, seed=7)
    assert alone.headline.endswith("398 acknowledged records along: predicted")
    assert "Measured" not in alone.caption and alone.caption.endswith("Seed 7.")
    assert "Measured on this machine: 401 under acks=0, 395 under acks=1, 0 under acks=all" in beside.caption
    assert beside.headline == "A leader that died alone took 401 acknowledged records along, 0 of acks=all"
    beside.canvas.draw()


@pytest.mark.real
def test_a_share_group_shares_one_partition_and_gives_up_on_poison(node):
    node.create_topic("jobs", partitions=1)
    with ShareGroup(node.bootstrap, "jobs", decide=lambda job, _: "requeue" if job == 3 else "ack") as jobs:
        jobs.publish(10)
        jobs.join("worker-1", "worker-2")
        jobs.run(lambda: jobs.settled() == 10)
        jobs.run_for(1)
    assert jobs.deliveries() == {job: 5 if job == 3 else 1 for job in range(10)}
    assert jobs.history.drained and check(jobs.history, jobs.guarantees).ok


@pytest.mark.real
def test_an_open_transaction_holds_back_who_reads_what_is_committed(node):
    node.create_topic("stall", partitions=1)
    recording = Recording(node.bootstrap, "stall")
    bank, other = Sender(recording, "bank", transactional_id="bank"), Sender(recording, "other")
    bank.begin()
    for producer in (bank, other):
        producer.send(5)
        producer.flush()
    assert kraft.read_both_ways(node.bootstrap, "stall") == {"read_uncommitted": 10, "read_committed": 0}
    assert bank.commit() == "ok"
    assert kraft.read_both_ways(node.bootstrap, "stall") == {"read_uncommitted": 10, "read_committed": 10}
