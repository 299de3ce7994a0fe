"""Transactions in exact scenarios: all or nothing, zombies fenced, decisions that survive.

And the one that a delayed EndTxn takes twice.
"""

import numpy as np
import pytest

from simulator import Workload, faults, kafka, simulate
from simulator.brokers.kafka.log import Log, LogBatch
from simulator.brokers.kafka.transactions.broker import TransactionalBroker
from simulator.kernel.world import World

from . import transaction_schedules as schedules

QUICK = schedules.CLUSTER
STEADY = Workload(rate=50, seconds=6, keys=20)


def transactions(*troubles, seed=7, workload=STEADY, **settings):
    return simulate(kafka.Transactions(**dict(cluster=QUICK, commit_interval=0.3) | settings), workload,
                    faults=troubles, seed=seed)


def outcomes(run, process="producer-1") -> list[int]:
    rows = run.history.transactions.rows
    return rows["type"][rows["process"]
                        == run.history.processes.code(process)].tolist() if process in run.history.processes else []


def told(run, kind: str) -> list[str]:
    """What the events of a kind say."""
    return [run.trace.notes[event] for event in run.trace.where(kind).tolist()]


@pytest.mark.parametrize("version", [1, 2])
def test_without_faults_every_transaction_is_committed_once_and_read(version):
    run = transactions(transaction_version=version, producers=2)
    assert run.report.ok and run.history.drained
    assert set(run.history.transactions.rows["type"].tolist()) == {0}
    assert run.history.records_sent() == sum(len(times) for times in run.history.created.values())


@pytest.mark.parametrize("version", [1, 2])
def test_what_the_application_aborts_is_read_by_nobody_who_reads_committed(version):
    run = transactions(transaction_version=version, abort_every=2)
    assert run.report.ok and 1 in outcomes(run)
    assert run.history.polls.rows["count"].sum() < 2 * run.history.records_sent()


def test_a_reader_of_uncommitted_data_sees_what_is_aborted_and_what_is_not_decided():
    run = transactions(abort_every=2, isolation="read_uncommitted")
    assert not run.report.broken
    assert run.report.verdicts["aborted read"].word == run.report.verdicts["dirty read"].word == "permitted"


def test_version_2_takes_a_new_epoch_for_every_transaction_and_version_1_does_not():
    for version, different in ((1, 1), (2, 5)):
        run = transactions(transaction_version=version)
        epochs = {note.split("epoch ")[1].split(",")[0] for note in told(run, "transaction")}
        assert (len(epochs) == 1) == (different == 1) and len(epochs) >= different


def test_markers_occupy_offsets():
    run = transactions()
    rows = run.history.polls.rows
    final = rows[(rows["process"] == run.history.processes.code("final-reader")) & (rows["key"] == 0)]
    assert len(run.trace.where("marker", key="orders-0")) > 5
    assert final["offset"].max() > final["count"].sum()


# The delayed EndTxn

STRAGGLER = faults.slow_network("producer-1", extra=1.55, at=1.57, lasts=0.03)
IMPATIENT = kafka.Cluster(partitions=2, producer=kafka.Producer(request_timeout=1.0, delivery_timeout=20.0))


def test_a_delayed_end_of_one_transaction_ends_a_later_one_under_version_1():
    run = transactions(STRAGGLER, cluster=IMPATIENT, transaction_version=1, abort_every=3)
    assert "aborted read" in run.report.broken
    assert "its transaction was aborted" in run.report.of("aborted read")[0].sentence


def test_under_version_2_the_same_delay_does_nothing():
    run = transactions(STRAGGLER, cluster=IMPATIENT, transaction_version=2, abort_every=3)
    assert run.report.ok
    assert any("end_txn, PRODUCER_FENCED" in note or "end_txn, done" in note for note in told(run, "answer"))


def test_a_delayed_abort_takes_half_of_a_later_transaction_that_was_committed():
    """Found by random search: version 1 tears a transaction, and loses what was committed, as the producer was told."""
    torn, whole = (schedules.transactions(37, version) for version in (1, 2))
    assert {"lost write", "torn transaction"} <= set(torn.report.broken) and whole.report.ok
    told = torn.report.of("torn transaction")[0].sentence
    assert "(committed) the log holds value 12 of orders-1, but not value 10 of orders-0" in told


@pytest.mark.parametrize("settings, broken",
                         [(dict(transaction_version=1), True), (dict(strict_markers=False), True), (dict(), False)],
                         ids=["version 1", "version 2 before KIP-1228", "version 2"])
def test_a_marker_that_arrives_again_in_the_next_transaction(settings, broken, monkeypatch):
    """An abort, written, repeated by the network 0.25 s later: it must not abort what is under way by then."""
    write, repeated = TransactionalBroker.on_write_markers, []

    def twice(broker, call, event):
        write(broker, call, event)
        if call.body[2] == "abort" and not repeated:
            repeated.append(call)
            broker.node.after(0.25, write, broker, call, event)
    monkeypatch.setattr(TransactionalBroker, "on_write_markers", twice)
    run = transactions(abort_every=2, **settings)
    assert repeated and run.report.ok is not broken, run.report
    assert ("lost write" in run.report.broken) == broken
    assert bool(told(run, "marker_refused")) == (not broken)


# Zombies

@pytest.mark.parametrize("version", [1, 2])
def test_a_producer_that_was_replaced_is_fenced(version):
    """It stands still in the middle of a transaction; another instance of the same transactional id takes over."""
    run = transactions(faults.pause("producer-1", at=2.05, lasts=2), transaction_version=version, replace_at=3.0)
    assert run.report.ok and run.history.drained
    assert told(run, "fenced_producer") == ["PRODUCER_FENCED"]
    assert outcomes(run)[-1] == 1 and 0 in outcomes(run, "producer-1b")


def test_a_producer_that_was_only_slow_comes_back_with_a_new_epoch():
    run = transactions(faults.pause("producer-1", at=2.05, lasts=2), transaction_timeout=1.0, timeout_check=0.2)
    assert run.report.ok and not told(run, "fenced_producer")
    assert outcomes(run).count(1) == 1 and outcomes(run)[-1] == 0


# The last stable offset

def log_of(*batches: LogBatch, high_watermark: int) -> Log:
    log = Log()
    for batch in batches:
        log.append(batch, 0.0)
    log.high_watermark = high_watermark
    return log


def written(offset: int, producer: int = 1, marker: str = "") -> LogBatch:
    """A record of a transaction, or the marker that ends it."""
    return LogBatch(offset, 1, 0, offset, producer, 100, transactional=True, marker=marker,
                    hidden=bool(marker), content=0)


def test_the_last_stable_offset_waits_for_the_marker_to_be_replicated():
    batches = written(0), written(1, producer=2), written(2, marker="commit"), written(3, producer=2, marker="abort")
    stable = [log_of(*batches[:end], high_watermark=mark).stable_offset
              for end, mark in ((1, 1), (3, 2), (3, 3), (4, 3), (4, 4))]
    assert stable == [0, 0, 1, 1, 4]


def test_a_log_that_is_cut_back_forgets_how_a_transaction_ended():
    log = log_of(written(0), written(1, marker="abort"), high_watermark=1)
    assert log.transactions.committed_only(log.batches)[0].hidden
    log.truncate(1)
    assert not log.transactions.committed_only(log.batches)[0].hidden and log.stable_offset == 0


def test_an_open_transaction_holds_up_every_reader_of_its_partitions():
    """Two producers; one stalls for two seconds in a transaction: what the other commits meanwhile waits as well."""
    still = faults.pause("producer-2", at=2.05, lasts=2)
    committed, uncommitted = (transactions(still, producers=2, isolation=isolation)
                              for isolation in ("read_committed", "read_uncommitted"))
    delivered = {name: _longest_silence(run) for name, run in (("committed", committed), ("uncommitted", uncommitted))}
    assert delivered["committed"] > 1.8 > 0.5 > delivered["uncommitted"]
    assert committed.report.ok


def _longest_silence(run) -> float:
    rows = run.history.polls.rows
    times = np.sort(rows["completed"][rows["process"] != run.history.processes.code("final-reader")])
    return float(np.diff(times).max())


@pytest.mark.parametrize("interval", [0.05, 0.2, 0.8])
def test_readers_of_committed_records_wait_half_a_transaction_on_average(interval):
    run = transactions(commit_interval=interval, workload=Workload(rate=100, seconds=20, keys=20, arrivals="even"))
    assert interval / 2 < run.end_to_end.mean < interval / 2 + 0.03


# The coordinator fails

@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("state", ["Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit",
                                   "CompleteAbort"])
def test_a_coordinator_that_crashes_in_any_state_is_continued_by_the_next(state, version):
    """The coordinating broker crashes just after the transaction has come into this state; another takes over."""
    settings = dict(transaction_version=version, abort_every=2, transaction_timeout=3.0, timeout_check=0.5)
    calm = transactions(**settings)
    rows = calm.trace.events.rows
    moment, node = next((float(rows["time"][event]), int(rows["node"][event]))
                        for event in calm.trace.where("transaction").tolist()
                        if calm.trace.notes[event].startswith(state))
    coordinator = calm.trace.nodes[node].name
    run = transactions(faults.crash(coordinator, at=moment + 0.0004, lasts=2), **settings)
    assert run.report.ok and run.history.drained, run.report
    assert len({int(run.trace.events.rows["node"][event])
                for event in run.trace.where("coordinates", key="__transaction_state-0")}) == 2
    assert outcomes(run).count(0) > 3


# Consume, transform, produce

PIPELINE = dict(cluster=QUICK, session_timeout=1.0, transaction_timeout=3.0, timeout_check=0.5)
WORK = Workload(rate=50, seconds=5, keys=20, work=0.002)


def pipeline(*troubles, seed=7, **settings):
    return simulate(kafka.Pipeline(**PIPELINE | settings), WORK, faults=troubles, seed=seed)


def steps(seed=7) -> dict[str, float]:
    """When worker-1 takes each step of its first transaction after two seconds, in a run without faults."""
    run = pipeline(seed=seed)
    rows, worker = run.trace.events.rows, [node.name for node in run.trace.nodes].index("worker-1")
    begin = next(float(rows["time"][event])
                 for event in run.trace.where("began", node="worker-1") if rows["time"][event] > 2)
    found = {"began": begin}
    for kind in ("produce", "txn_offset_commit", "end_txn", "committed"):
        found[kind] = next(float(rows["time"][event])
                           for event in run.trace.where(kind, node="worker-1") if rows["time"][event] > begin)
    assert rows["node"][run.trace.where("began", node="worker-1")[0]] == worker
    return found


@pytest.mark.parametrize("step", ["began", "produce", "txn_offset_commit", "end_txn", "committed"])
@pytest.mark.parametrize("trouble", ["crash", "pause"])
def test_exactly_once_whatever_step_a_worker_dies_or_stands_still_at(step, trouble):
    """Killed for a second, or paused for so long that the other worker takes over and it is back as a zombie."""
    at = steps()[step] + 0.0002
    fault = faults.crash("worker-1", at=at, lasts=1) if trouble == "crash" else faults.pause("worker-1", at=at, lasts=3)
    run = pipeline(fault)
    assert run.report.ok and run.history.drained, run.report
    assert set(schedules.results(run).values()) == {1}


@pytest.mark.parametrize("fault", [faults.crash("worker-1", at=2.03, lasts=1),
                                   faults.pause("worker-1", at=2.03, lasts=3)], ids=str)
def test_at_least_once_does_some_of_it_twice(fault):
    once, twice = (pipeline(fault, exactly_once=exactly) for exactly in (True, False))
    assert set(schedules.results(once).values()) == {1}
    assert max(schedules.results(twice).values()) > 1 and min(schedules.results(twice).values()) == 1
    assert twice.report.verdicts["duplicate"].word == "permitted" and not twice.report.broken


def test_a_zombie_of_a_group_cannot_commit_the_offsets_of_others():
    run = pipeline(faults.pause("worker-1", at=2.03, lasts=3))
    assert any("txn_offset_commit" in note or "produce" in note or "end_txn" in note for note in told(run, "answer"))
    assert told(run, "generation")[-1] == "worker-1, worker-2"


def test_a_marker_of_a_coordinator_that_was_replaced_is_refused():
    broker = kafka.Transactions(cluster=QUICK).build(World(1), STEADY).brokers[0]
    leadership = broker.leading[0]
    for batch in (written(0), written(1, marker="commit")._replace(content=3)):  # written by the coordinator of epoch 3
        leadership.log.append(batch, 0.0)
    assert broker._marker_error(leadership, (1, 5), coordinator_epoch=2) == "TRANSACTION_COORDINATOR_FENCED"
    assert broker._marker_error(leadership, (1, 5), coordinator_epoch=3) == ""


# What is refused

@pytest.mark.parametrize("make, message", [
    (lambda: kafka.Transactions(transaction_version=3), "transaction_version: 3 is not allowed; it must be 1 or 2"),
    (lambda: kafka.Transactions(transaction_version=True), "transaction_version: True is not allowed"),
    (lambda: kafka.Transactions(isolation="serializable"), "isolation: 'serializable' is not allowed"),
    (lambda: kafka.Transactions(commit_interval=0), "commit_interval: 0 is not allowed"),
    (lambda: kafka.Transactions(commit_interval=90), "commit_interval: 90 is not allowed; it must be shorter than "
                                                     "transaction_timeout"),
    (lambda: kafka.Transactions(producers=0), "producers: 0 is not allowed"),
    (lambda: kafka.Transactions(abort_every=-1), "abort_every: -1 is not allowed"),
    (lambda: kafka.Transactions(replace_at=-1), "replace_at: -1 is not allowed"),
    (lambda: kafka.Transactions(strict_markers=1), "strict_markers: 1 is not allowed"),
    (lambda: kafka.Transactions(cluster=None), "cluster: None is not allowed"),
    (lambda: kafka.Transactions(cluster=kafka.Cluster(tiering=kafka.Tiering())), "tiering: Tiering() is not allowed"),
    (lambda: kafka.Transactions(cluster=kafka.Cluster(producer=kafka.Producer(acks=1))),
     "acks: 1 is not allowed; it must be 'all' where there are transactions"),
    (lambda: kafka.Pipeline(cluster=kafka.Cluster(producer=kafka.Producer(idempotence=False))),
     "idempotence: False is not allowed"),
    (lambda: kafka.Pipeline(exactly_once="yes"), "exactly_once: 'yes' is not allowed"),
    (lambda: kafka.Pipeline(workers=0), "workers: 0 is not allowed"),
    (lambda: kafka.Pipeline(session_timeout=0), "session_timeout: 0 is not allowed"),
])
def test_impossible_settings_are_refused_in_one_sentence(make, message):
    with pytest.raises(ValueError) as refusal:
        make()
    assert str(refusal.value).startswith(message)
