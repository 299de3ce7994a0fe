"""The work queue: what it promises, what prefetch does, and what each kind of failure costs."""

from collections import Counter
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.brokers.workqueue import WorkQueue
from simulator.evidence.checks import check
from simulator.evidence.history import FAIL, INFO, OK
from simulator.evidence.queue_history import ACK, ACTIONS
from simulator.experiment import simulate
from simulator.kernel import faults
from simulator.kernel.disk import DiskProfile
from simulator.kernel.network import NetworkProfile
from simulator.workload import Workload

BUSY = Workload(rate=100, seconds=20, consumers=3, work=0.02)
OVERLOADED = Workload(rate=200, seconds=20, consumers=3, work=0.02)
HOPELESS = Workload(rate=100, seconds=12, consumers=1, work=0.1)
QUORUM = WorkQueue(queue_type="quorum", prefetch=10)
NEVER = ("lost", "phantom", "conservation", "double possession", "zombie", "over-delivery", "unjustified redelivery")


def run(system=WorkQueue(prefetch=10), workload=BUSY, *wrongs, seed=1):
    return simulate(system, workload, faults=wrongs, seed=seed)


def judged(run):
    return check(run.history, run.guarantees)


def found(run, kind):
    return judged(run).verdicts[kind].records


def actions(run):
    return Counter(ACTIONS[action] for action in run.history.settlements.rows["action"].tolist())


def most_held(run) -> int:
    """The largest number of messages that one worker held at any time."""
    rows = run.history
    steps = [(op, process, 1) for op, process in rows.deliveries.rows[["op", "process"]].tolist()]
    steps += [(op, process, -1) for op, process in rows.settlements.rows[["op", "process"]].tolist()]
    held, most = Counter(), 0
    for _, process, step in sorted(steps):
        held[process] += step
        most = max(most, held[process])
    return most


class TestWithoutFaults:
    @pytest.mark.parametrize("system", [WorkQueue(), WorkQueue(prefetch=1), QUORUM, WorkQueue(persistent=False)])
    def test_every_message_is_confirmed_and_worked_on_once(self, system):
        quiet = run(system)
        assert judged(quiet).ok and quiet.history.drained
        assert np.all(quiet.history.publishes.rows["type"] == OK)
        assert actions(quiet) == {"ack": len(quiet.history.created[0])}
        assert found(quiet, "redelivery") == 0

    def test_without_confirms_the_publisher_never_knows(self):
        assert np.all(run(WorkQueue(confirms=False)).history.publishes.rows["type"] == INFO)

    def test_one_worker_gets_messages_in_order(self):
        values = run(WorkQueue(), Workload(rate=100, seconds=5, consumers=1)).history.deliveries.rows["value"]
        assert np.array_equal(values, np.arange(len(values)))

    def test_messages_wait_for_workers_that_do_not_exist(self):
        lonely = run(WorkQueue(), Workload(rate=10, seconds=5, consumers=0))
        assert not lonely.history.drained and len(lonely.history.deliveries) == 0
        assert judged(lonely).verdicts["lost"].verdict == "unknown"

    def test_the_same_seed_is_the_same_run(self):
        assert run().trace.digest() == run().trace.digest() != run(seed=2).trace.digest()

    def test_a_message_can_be_followed_to_its_publisher(self):
        trace = run().trace
        kinds = trace.events.rows["kind"][trace.causes(int(trace.where("settled")[7]))]
        assert [trace.kinds[kind].name for kind in kinds] == [
            "publish", "receive", "enqueue", "delivered", "receive", "deliver", "done", "ack", "receive", "settled"]


class TestPrefetch:
    @pytest.mark.parametrize("prefetch", [1, 2, 7])
    def test_limits_what_a_worker_holds(self, prefetch):
        overloaded = Workload(rate=200, seconds=5, consumers=2, work=0.02)
        assert most_held(run(WorkQueue(prefetch=prefetch), overloaded)) == prefetch

    @pytest.mark.parametrize("prefetch", [1, 2, 4, 11, 40])
    def test_of_one_leaves_a_distant_worker_idle(self, prefetch):
        """A worker gets `prefetch` messages in a round trip and the work on one, unless the work takes longer."""
        latency, work = 0.005, 0.001
        far = NetworkProfile(same_zone=latency, cross_zone=latency)
        seconds = run(WorkQueue(prefetch=prefetch, network=far), Workload(rate=5000, seconds=.4, consumers=1, work=work)
                      ).history.settlements.rows["time"]
        throughput = (len(seconds) - 1) / (seconds[-1] - seconds[0])
        assert throughput == pytest.approx(min(1 / work, prefetch / (2 * latency + work)), rel=.02)

    def test_without_limit_gives_all_work_to_whoever_comes_first(self):
        late = faults.crash("worker-2", at=0, lasts=5)
        backlog = Workload(rate=200, seconds=5, consumers=2, work=0.05)
        shares = {prefetch: self._shares(run(WorkQueue(prefetch=prefetch), backlog, late)) for prefetch in (0, 1)}
        assert shares[0]["worker-2/2"] == 0
        assert shares[1]["worker-2/2"] == pytest.approx(450, abs=10)  # (1000 - 5 s / 0.05 s) / 2

    @staticmethod
    def _shares(run):
        return Counter(run.history.processes[process] for process in run.history.deliveries.rows["process"])

    def test_in_large_numbers_delays_the_message_behind_a_long_one(self):
        from simulator.kernel.distributions import Lognormal
        uneven = Workload(rate=150, seconds=60, consumers=4, work=Lognormal(0.008, 1.3))
        waits = [run(WorkQueue(prefetch=prefetch), uneven).history for prefetch in (1, 50)]
        assert self._mean_sojourn(waits[1]) > 1.5 * self._mean_sojourn(waits[0])

    @staticmethod
    def _mean_sojourn(history):
        rows = history.settlements.rows
        return (rows["time"] - history.created[0][rows["value"]]).mean()


class TestFailures:
    def test_a_crashed_worker_gives_its_messages_back(self):
        crashed = run(WorkQueue(prefetch=10), OVERLOADED, faults.crash("worker-1", at=10, lasts=5))
        assert judged(crashed).ok and actions(crashed) == {"ack": len(crashed.history.created[0])}
        assert found(crashed, "redelivery") == 10
        assert crashed.history.deliveries.rows["attempt"].max() == 2

    def test_more_prefetch_means_more_redelivery(self):
        slow = Workload(rate=100, seconds=20, consumers=1, work=0.02)
        wrong = faults.crash("worker-1", at=10, lasts=1)
        assert found(run(WorkQueue(prefetch=1), slow, wrong), "redelivery") == 1
        assert found(run(WorkQueue(prefetch=100), slow, wrong), "redelivery") == 100

    @pytest.mark.parametrize("system", [WorkQueue(prefetch=10), QUORUM])
    def test_a_restarted_broker_still_has_what_it_confirmed(self, system):
        restarted = run(system, BUSY, faults.crash("queue-1", at=10, lasts=3))
        assert judged(restarted).ok and restarted.history.drained
        assert len(restarted.trace.where("recovered")) == 1

    def test_transient_messages_die_with_the_broker(self):
        restarted = run(WorkQueue(persistent=False, prefetch=10), HOPELESS, faults.crash("queue-1", at=10, lasts=3))
        verdict = judged(restarted).verdicts["lost"]
        assert verdict.records == pytest.approx(900, rel=.1) and verdict.permitted
        assert "they were not persistent" in restarted.trace.describe(int(restarted.trace.where("lost")[0]))

    def test_a_power_loss_takes_what_a_classic_queue_had_confirmed(self):
        dark = run(WorkQueue(prefetch=10), HOPELESS, faults.power_loss("queue-1", at=10, lasts=3))
        assert judged(dark).broken == ["lost"]
        assert judged(dark).verdicts["lost"].records == pytest.approx(900, rel=.1)

    def test_what_the_system_wrote_back_survives_a_power_loss(self):
        quick = WorkQueue(prefetch=10, disk=DiskProfile(writeback=2.0))
        dark = run(quick, HOPELESS, faults.power_loss("queue-1", at=10, lasts=3))
        assert found(dark, "lost") == pytest.approx(200, rel=.1)

    def test_a_quorum_queue_survives_a_power_loss(self):
        assert judged(run(QUORUM, HOPELESS, faults.power_loss("queue-1", at=10, lasts=3))).ok

    def test_a_message_that_comes_back_too_often_is_a_dead_letter(self):
        poison = Workload(rate=1, arrivals="even", seconds=1, consumers=1, work=100.0)
        crashes = [faults.crash("worker-1", at=2 + 2 * i, lasts=1) for i in range(6)]
        limited = run(WorkQueue(queue_type="quorum", delivery_limit=3), poison, *crashes)
        assert actions(limited) == {"deadletter": 1}
        assert limited.history.deliveries.rows["attempt"].tolist() == [1, 2, 3, 4]
        assert judged(limited).ok

    def test_a_classic_queue_never_gives_up(self):
        poison = Workload(rate=1, arrivals="even", seconds=1, consumers=1, work=30.0)
        crashes = [faults.crash("worker-1", at=2 + 2 * i, lasts=1) for i in range(25)]
        assert run(WorkQueue(), poison, *crashes).history.deliveries.rows["attempt"].max() == 26

    def test_a_publisher_keeps_messages_while_the_broker_is_away(self):
        away = run(WorkQueue(), BUSY, faults.crash("queue-1", at=10, lasts=3))
        assert len(away.history.publishes) == len(away.history.created[0])
        waited = away.history.latencies("produce")
        assert 4 < waited.max() < 6  # the next attempt to connect comes after 5 s
        assert np.count_nonzero(away.history.publishes.rows["type"] != OK) < 5  # those that were under way

    def test_a_crashed_publisher_makes_nothing(self):
        gone = run(WorkQueue(), BUSY, faults.crash("publisher-1", at=5, lasts=10))
        assert len(gone.history.publishes) == pytest.approx(1000, rel=.1)
        assert judged(gone).ok

    def test_what_was_never_sent_has_failed(self):
        away = [faults.crash("queue-1", at=5), faults.crash("publisher-1", at=8)]
        types = Counter(run(WorkQueue(), BUSY, *away).history.publishes.rows["type"].tolist())
        assert types[FAIL] == pytest.approx(300, rel=.2)

    def test_a_short_partition_is_repaired_by_tcp(self):
        cut = run(WorkQueue(prefetch=10), BUSY, faults.isolate("worker-1", at=5, lasts=10))
        assert judged(cut).ok and found(cut, "redelivery") == 0

    def test_a_partition_longer_than_the_heartbeat_ends_the_connection(self):
        cut = run(WorkQueue(prefetch=10, heartbeat=4), OVERLOADED, faults.isolate("worker-1", at=10, lasts=10))
        assert judged(cut).ok and found(cut, "redelivery") == 10

    def test_a_paused_worker_is_given_up_and_its_late_ack_ignored(self):
        asleep = run(WorkQueue(prefetch=10, heartbeat=4), OVERLOADED, faults.pause("worker-1", at=10, lasts=10))
        assert judged(asleep).ok and actions(asleep) == {"ack": len(asleep.history.created[0])}
        assert found(asleep, "redelivery") == 10

    def test_a_worker_without_power_is_missed_only_after_the_heartbeat(self):
        dark = run(WorkQueue(prefetch=10, heartbeat=8), BUSY, faults.power_loss("worker-1", at=5))
        back = dark.trace.events.rows["time"][dark.trace.where("requeue")]
        assert len(back) == 1 and 13 <= back[0] <= 18


class TestQuorumQueue:
    def test_confirms_after_the_flush(self):
        slow = WorkQueue(queue_type="quorum", disk=DiskProfile(fsync=0.01), network=NetworkProfile.instant())
        latencies = run(slow, Workload(rate=20, arrivals="even", seconds=5)).history.latencies("produce")
        assert latencies == pytest.approx(np.full(100, 0.01))

    def test_flushes_many_messages_at_once(self):
        """One flush for all that arrived during the last one: a record a millisecond, ten milliseconds a flush."""
        slow = WorkQueue(queue_type="quorum", disk=DiskProfile(fsync=0.01), network=NetworkProfile.instant())
        flushed = run(slow, Workload(rate=1000, arrivals="even", seconds=2))
        assert flushed.meters.counts["fsync"] == pytest.approx(200, abs=2)
        assert flushed.history.latencies("produce").max() <= 0.02 + 1e-9


NODES = ["queue-1", "worker-1", "worker-2", "publisher-1"]
WRONGS = st.one_of(
    st.builds(faults.crash, st.sampled_from(NODES), at=st.floats(0, 4), lasts=st.floats(.001, 3)),
    st.builds(faults.power_loss, st.sampled_from(NODES[1:]), at=st.floats(0, 4), lasts=st.floats(.001, 3)),
    st.builds(faults.pause, st.sampled_from(NODES), at=st.floats(0, 4), lasts=st.floats(.001, 3)),
    st.builds(faults.isolate, st.sampled_from(NODES), at=st.floats(0, 4), lasts=st.floats(.001, 3)),
    st.builds(faults.slow_network, st.sampled_from(NODES), extra=st.floats(0, 1), at=st.floats(0, 4),
              lasts=st.floats(.001, 3)))
SYSTEMS = st.builds(WorkQueue, queue_type=st.sampled_from(["classic", "quorum"]), prefetch=st.sampled_from([0, 1, 3]),
                    confirms=st.booleans(), heartbeat=st.sampled_from([1.0, 60.0]),
                    reconnect=st.sampled_from([.1, 1.0]))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(SYSTEMS, st.lists(WRONGS, max_size=4), st.integers(0, 1000))
def test_whatever_fails_the_queue_keeps_its_promises(system, wrongs, seed):
    """A confirmed message ends in exactly one way; nobody holds what another holds; redelivery has a reason."""
    survived = run(system, Workload(rate=40, seconds=5, consumers=2, work=0.03), *wrongs, seed=seed)
    report = judged(survived)
    assert survived.history.drained
    assert [kind for kind in NEVER if report.verdicts[kind].verdict != "holds"] == []
    assert not system.prefetch or most_held(survived) <= system.prefetch * (1 + len(wrongs))
    settled = survived.history.settlements.rows
    assert len(np.unique(settled["value"])) == len(settled)
    assert np.all(settled["action"] == ACK) or system.queue_type == "quorum"
    assert np.isin(settled["value"], survived.history.publishes.rows["value"]).all()


@pytest.mark.parametrize("wrong, said", [
    (dict(queue_type="mirrored"), "queue_type: 'mirrored' is not allowed; it must be 'classic' or 'quorum'"),
    (dict(prefetch=-1), "prefetch: -1 is not allowed; it must be a whole number, at least 0"),
    (dict(prefetch=1.5), "prefetch: 1.5 is not allowed; it must be a whole number, at least 0"),
    (dict(confirms=1), "confirms: 1 is not allowed; it must be True or False"),
    (dict(persistent="yes"), "persistent: 'yes' is not allowed; it must be True or False"),
    (dict(queue_type="quorum", persistent=False),
     "persistent: False is not allowed; it must be True for a quorum queue, which has no other messages"),
    (dict(delivery_limit=5),
     "delivery_limit: 5 is not allowed; it must be None for a classic queue, which has no delivery limit"),
    (dict(queue_type="quorum", delivery_limit=0),
     "delivery_limit: 0 is not allowed; it must be a whole number, at least 1"),
    (dict(heartbeat=0), "heartbeat: 0 is not allowed; it must be a number of seconds, greater than 0"),
    (dict(reconnect=inf), "reconnect: inf is not allowed; it must be a number of seconds, greater than 0"),
    (dict(zones="a"), "zones: 'a' is not allowed; it must be a tuple of zone names, for example ('a', 'b', 'c')"),
    (dict(network=None), "network: None is not allowed; it must be a NetworkProfile"),
    (dict(disk=3), "disk: 3 is not allowed; it must be a DiskProfile"),
])
def test_nonsense_is_refused_by_name(wrong, said):
    with pytest.raises(ValueError) as refusal:
        WorkQueue(**wrong)
    assert str(refusal.value) == said


def test_a_system_says_what_is_special_about_it():
    assert str(WorkQueue()) == "WorkQueue()"
    assert str(WorkQueue(queue_type="quorum", prefetch=5)) == "WorkQueue(queue_type='quorum', prefetch=5)"
