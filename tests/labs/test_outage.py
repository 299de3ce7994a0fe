"""The model of the outage against the closed forms, and the measurement on histories written by hand."""
import numpy as np
import pytest

from labs.outage import ELECTION_TIMEOUT, HEARTBEAT, failover_times, outage_after, pauses
from simulator import theory
from simulator.evidence.history import History

LOW, WIDTH = ELECTION_TIMEOUT[0], ELECTION_TIMEOUT[1] - ELECTION_TIMEOUT[0]
INSTANT = {"vote": 0.0, "retry": 0.0}
TRIALS = 40_000


@pytest.mark.parametrize("followers", [1, 2, 4])
def test_mean_and_quantiles_are_those_of_the_first_timeout(followers):
    times = failover_times(TRIALS, seed=followers, followers=followers, **INSTANT)
    error = 4 * times.std() / np.sqrt(TRIALS)
    assert times.mean() == pytest.approx(theory.election_timeout(LOW, WIDTH, followers), abs=error)
    for p in (0.05, 0.5, 0.95):
        exact = theory.election_timeout_quantile(LOW, WIDTH, followers, p)
        assert np.quantile(times, p) == pytest.approx(exact, abs=0.08)


def test_a_vote_that_takes_long_is_split_as_often_as_predicted():
    """A split vote starts both timers again, so it is what takes longer than the longest timeout."""
    vote = 0.5
    times = failover_times(TRIALS, seed=3, vote=vote, retry=0.0)
    split = np.mean(times - vote > ELECTION_TIMEOUT[1] - vote)  # two rounds need at least 2 x 4 s, one at most 9 s
    second_round = 1 - theory.no_rival(WIDTH, 2, vote)
    assert 0.5 * second_round < split <= second_round + 0.01


def test_on_an_idle_stream_part_of_the_silence_lies_before_the_death():
    busy, idle = (failover_times(TRIALS, seed=5, silence=silence, **INSTANT).mean() for silence in (0.0, HEARTBEAT))
    assert busy - idle == pytest.approx(HEARTBEAT / 2, abs=0.05)


def test_a_client_that_tries_every_second_notices_half_a_second_late():
    times = failover_times(TRIALS, seed=6, vote=0.0, retry=1.0)
    late = times.mean() - theory.election_timeout(LOW, WIDTH, 2)
    assert late == pytest.approx(theory.tick_delay(1.0), abs=0.05)


def test_the_same_seed_gives_the_same_outages():
    assert np.array_equal(failover_times(100, seed=9), failover_times(100, seed=9))
    assert not np.array_equal(failover_times(100, seed=9), failover_times(100, seed=10))


def test_a_range_the_wrong_way_round_is_refused():
    with pytest.raises(ValueError, match=r"timeout: \(9, 4\) is not a range"):
        failover_times(10, timeout=(9, 4))


def acknowledged(*times: float) -> History:
    history = History()
    for value, time in enumerate(times):
        history.send("publisher", "orders", value, value + 1, invoked=time, time=time)
    return history


def test_the_outage_is_the_longest_gap_around_the_fault():
    history = acknowledged(0.0, 1.0, 2.0, 2.2, 7.5, 7.6, 20.0)
    assert outage_after(history, fault=2.1) == (2.2, 7.5)  # an answer already on its way arrived after the fault


def test_unacknowledged_sends_do_not_end_an_outage():
    history = acknowledged(0.0, 1.0, 8.0)
    history.send("publisher", "orders", 99, type="info", invoked=2.0, time=3.0)
    assert outage_after(history, fault=1.5) == (1.0, 8.0)


def test_an_outage_without_an_end_says_so():
    with pytest.raises(ValueError, match="fault: 5.0 s does not lie between two acknowledgements"):
        outage_after(acknowledged(0.0, 1.0), fault=5.0)


def test_pauses_are_told_apart_by_their_cause():
    history = acknowledged(0.0, 1.0, 6.0, 7.0, 8.0, 8.5, 9.0)
    faults = [(1.1, "killed", "n1"), (6.5, "restarted", "n1"), (8.1, "asked to stop", "n2")]
    assert pauses(history, faults, "killed") == [5.0]
    assert pauses(history, faults, "asked to stop") == [0.5]
