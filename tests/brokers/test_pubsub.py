"""Fire and forget: who is there gets everything, once and in order; who is not gets nothing, and nobody notices."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.brokers.pubsub import MAX_PAYLOAD, PROTOCOL, PubSub
from simulator.evidence.checks import check
from simulator.evidence.history import FAIL, INFO
from simulator.experiment import simulate
from simulator.kernel import faults
from simulator.kernel.network import NetworkProfile
from simulator.workload import Workload

STEADY = Workload(rate=100, arrivals="even", seconds=30, consumers=3)
SIZE = STEADY.record_bytes + PROTOCOL
INSTANT = NetworkProfile.instant()


def run(system=PubSub(), workload=STEADY, *wrongs, seed=1):
    return simulate(system, workload, faults=wrongs, seed=seed)


def got(run, subscriber: str) -> np.ndarray:
    """The messages that a subscriber read, in the order in which it did."""
    rows = run.history.deliveries.rows
    return rows["value"][rows["process"] == run.history.processes.code(subscriber)]


def made(run) -> np.ndarray:
    """When each message was made."""
    return run.history.created[0]


def lost(run) -> int:
    return check(run.history, run.guarantees).verdicts["lost"].records


class TestWhoIsThere:
    def test_gets_everything_once_and_in_order(self):
        steady = run()
        for number in (1, 2, 3):
            assert np.array_equal(got(steady, f"subscriber-{number}"), np.arange(3000))
        assert check(steady.history, steady.guarantees).ok and lost(steady) == 0

    def test_costs_a_copy_for_each(self):
        sent = sum(run().meters.traffic.values())
        assert sent == pytest.approx((1 + 3) * 3000 * SIZE, rel=.001)

    def test_the_publisher_never_learns(self):
        assert np.all(run().history.publishes.rows["type"] == INFO)

    def test_the_same_seed_is_the_same_run(self):
        poisson = Workload(rate=100, seconds=5, consumers=2)
        digests = [run(PubSub(), poisson, seed=seed).trace.digest() for seed in (1, 1, 2)]
        assert digests[0] == digests[1] != digests[2]


class TestWhoIsNot:
    def test_a_late_subscriber_gets_nothing_of_what_was(self):
        late = run(PubSub(network=INSTANT), STEADY, faults.crash("subscriber-2", at=0, lasts=10.005))
        assert np.array_equal(got(late, "subscriber-2"), np.flatnonzero(made(late) > 10.005))
        assert lost(late) == 1000

    def test_a_crashed_subscriber_misses_what_was_said_meanwhile(self):
        crashed = run(PubSub(network=INSTANT), STEADY, faults.crash("subscriber-2", at=10.005, lasts=5))
        missed = (made(crashed) > 10.005) & (made(crashed) < 15.005)
        assert np.array_equal(got(crashed, "subscriber-2"), np.flatnonzero(~missed))
        assert len(got(crashed, "subscriber-1")) == 3000 and lost(crashed) == 500
        assert check(crashed.history, crashed.guarantees).ok  # nobody had promised anything

    def test_a_message_without_subscribers_goes_nowhere(self):
        alone = run(PubSub(), Workload(rate=100, arrivals="even", seconds=1, consumers=0))
        assert len(alone.trace.where("no_interest")) == 100

    def test_what_a_crashing_subscriber_had_not_read_is_gone(self):
        slow = Workload(rate=100, arrivals="even", seconds=10, consumers=1, work=0.02)
        crashed = run(PubSub(network=INSTANT), slow, faults.crash("subscriber-1", at=5.005, lasts=0.01))
        assert lost(crashed) == pytest.approx(250, abs=3)  # half of what had come in five seconds


class TestServer:
    def test_a_crash_is_bridged_by_the_publishers_buffer(self):
        """Publisher and subscribers come back at once, 2 s later: what was kept meets them or is a moment early."""
        away = run(PubSub(), STEADY, faults.crash("server-1", at=10.005, lasts=1))
        for number in (1, 2, 3):
            missing = 3000 - len(got(away, f"subscriber-{number}"))
            assert missing <= 202
        assert Counter(away.history.publishes.rows["type"].tolist())[FAIL] == 0

    def test_a_full_buffer_refuses(self):
        away = run(PubSub(reconnect_buffer=10 * SIZE), STEADY, faults.crash("server-1", at=10.005, lasts=1))
        assert np.count_nonzero(away.history.publishes.rows["type"] == FAIL) == pytest.approx(3 * 190, abs=6)
        assert len(away.trace.where("unsent")) == pytest.approx(190, abs=2)

    def test_forgets_its_subscribers_until_they_return(self):
        away = run(PubSub(network=INSTANT), STEADY, faults.crash("server-1", at=10.005, lasts=5))
        assert got(away, "subscriber-1").max() == 2999


class TestSlowConsumers:
    def test_a_short_pause_is_caught_up_with(self):
        paused = run(PubSub(), STEADY, faults.pause("subscriber-1", at=10, lasts=9))
        assert lost(paused) == 0 and paused.meters.counts["slow consumers"] == 0

    def test_not_reading_for_the_write_deadline_is_the_end(self):
        paused = run(PubSub(), STEADY, faults.pause("subscriber-1", at=10, lasts=12))
        assert paused.meters.counts["slow consumers"] == 1
        cut = paused.trace.events.rows["time"][paused.trace.where("slow_consumer")[0]]
        assert cut == pytest.approx(20, abs=.05)
        assert lost(paused) > 1000  # all that was pending, and all until it had come back
        assert len(got(paused, "subscriber-2")) == 3000

    def test_more_than_max_pending_is_the_end(self):
        paused = run(PubSub(max_pending=100 * SIZE), STEADY, faults.pause("subscriber-1", at=10, lasts=9))
        cut = paused.trace.where("slow_consumer")
        assert len(cut) == 1 and paused.trace.events.rows["count"][cut[0]] == 100
        assert paused.trace.events.rows["time"][cut[0]] == pytest.approx(11, abs=.02)
        assert "more than max_pending" in paused.trace.describe(int(cut[0]))

    def test_who_is_slower_than_the_publisher_is_cut_off_again_and_again(self):
        """Half as fast: 200 messages pile up in 4 s, then 2 s go by until it is back."""
        slow = Workload(rate=100, arrivals="even", seconds=60, consumers=1, work=0.02)
        behind = run(PubSub(max_pending=200 * SIZE, network=INSTANT), slow)
        assert behind.meters.counts["slow consumers"] == pytest.approx(10, abs=1)
        assert len(got(behind, "subscriber-1")) == pytest.approx(2000, rel=.05)

    def test_64_mebibytes_are_64_000_messages_of_a_kilobyte(self):
        assert PubSub().max_pending // SIZE == pytest.approx(64_500, rel=.01)


NODES = ["server-1", "subscriber-1", "subscriber-2", "publisher-1"]
WRONGS = st.one_of(
    st.builds(faults.crash, st.sampled_from(NODES), at=st.floats(0, 4), lasts=st.floats(.001, 3)),
    st.builds(faults.power_loss, st.sampled_from(NODES), at=st.floats(0, 4), lasts=st.floats(.001, 3)),
    st.builds(faults.pause, st.sampled_from(NODES), at=st.floats(0, 4), lasts=st.floats(.001, 3)),
    st.builds(faults.isolate, st.sampled_from(NODES), at=st.floats(0, 4), lasts=st.floats(.001, 3)),
    st.builds(faults.slow_network, st.sampled_from(NODES), extra=st.floats(0, 1), at=st.floats(0, 4),
              lasts=st.floats(.001, 3)))
SYSTEMS = st.builds(PubSub, max_pending=st.sampled_from([5 * SIZE, 64 << 20]),
                    write_deadline=st.sampled_from([.5, 10.0]), ping_interval=st.sampled_from([.3, 120.0]),
                    reconnect_wait=st.sampled_from([.1, 2.0]))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(SYSTEMS, st.lists(WRONGS, max_size=4), st.sampled_from([0.0, 0.02]), st.integers(0, 1000))
def test_whatever_fails_nothing_comes_twice_or_out_of_order(system, wrongs, work, seed):
    failing = run(system, Workload(rate=40, seconds=5, consumers=2, work=work), *wrongs, seed=seed)
    report = check(failing.history, failing.guarantees)
    assert failing.history.drained and report.broken == []
    assert [kind for kind, verdict in report.verdicts.items() if verdict.cases and kind != "lost"] == []
    for subscriber in ("subscriber-1", "subscriber-2"):
        assert np.all(np.diff(got(failing, subscriber)) > 0)
    sent = np.count_nonzero(failing.history.publishes.rows["type"] != FAIL)
    assert lost(failing) == sent - len(failing.history.deliveries)


@pytest.mark.parametrize("wrong, said", [
    (dict(max_pending=0), "max_pending: 0 is not allowed; it must be a whole number, at least 1"),
    (dict(write_deadline=-1), "write_deadline: -1 is not allowed; it must be a number of seconds, greater than 0"),
    (dict(ping_interval="2m"), "ping_interval: '2m' is not allowed; it must be a number of seconds, greater than 0"),
    (dict(ping_max=True), "ping_max: True is not allowed; it must be a whole number, at least 0"),
    (dict(reconnect_wait=0), "reconnect_wait: 0 is not allowed; it must be a number of seconds, greater than 0"),
    (dict(reconnect_buffer=-8), "reconnect_buffer: -8 is not allowed; it must be a whole number, at least 0"),
    (dict(zones=()), "zones: () is not allowed; it must be a tuple of zone names, for example ('a', 'b', 'c')"),
    (dict(network="fast"), "network: 'fast' is not allowed; it must be a NetworkProfile"),
])
def test_nonsense_is_refused_by_name(wrong, said):
    with pytest.raises(ValueError) as refusal:
        PubSub(**wrong)
    assert str(refusal.value) == said


def test_a_message_above_max_payload_is_refused():
    with pytest.raises(ValueError, match="record_bytes: 1048577 is not allowed; it must be at most 1048576"):
        run(PubSub(), Workload(record_bytes=MAX_PAYLOAD + 1, seconds=1))


def test_a_system_says_what_is_special_about_it():
    assert str(PubSub()) == "PubSub()" and str(PubSub(ping_max=3)) == "PubSub(ping_max=3)"
