"""Replicas that hold different records below the high watermark are found; replicas that are merely behind are not."""
import pytest

from simulator.evidence.checks import check
from simulator.evidence.history import History

LEADER = [(0, 2, 0, 10), (2, 3, 1, 20)]  # offset, count, epoch, value


def history(*followers: list[tuple[int, int, int, int]]) -> History:
    """A key whose leader holds five records, and what its followers hold."""
    found = History()
    key = found.keys.code("k-0")
    for number, rows in enumerate([LEADER, *followers]):
        for row in rows:
            found.replicas.append(found.processes.code(f"broker-{number + 1}"), key, *row, 9.0)
    return found


def divergence(*followers):
    return check(history(*followers)).verdicts["log divergence"]


@pytest.mark.parametrize("follower", [
    pytest.param(LEADER, id="the same"),
    pytest.param(LEADER[:1], id="behind"),
    pytest.param([], id="empty"),
    pytest.param([(0, 2, 0, 10), (2, 1, 1, 20)], id="half a batch"),
    pytest.param([(0, 1, 0, 10), (1, 1, 0, 11), (2, 3, 1, 20)], id="other batches, the same records"),
    pytest.param(LEADER + [(5, 1, 0, 99)], id="more than the leader shows"),
])
def test_a_replica_that_holds_nothing_else_agrees(follower):
    assert (divergence(follower).verdict, divergence(follower).cases) == ("holds", 0)


@pytest.mark.parametrize("follower, cases, records", [
    pytest.param([(0, 2, 0, 10), (2, 1, 0, 12), (3, 2, 1, 21)], 1, 1, id="another record"),
    pytest.param([(0, 2, 0, 10), (2, 3, 0, 20)], 1, 3, id="the same values in another epoch"),
    pytest.param([(0, 1, 0, 9), (1, 1, 0, 11), (2, 2, 1, 30)], 2, 3, id="two places"),
])
def test_a_replica_that_holds_something_else_is_found(follower, cases, records):
    verdict = divergence(LEADER, follower)
    assert (verdict.verdict, verdict.cases, verdict.records) == ("broken", cases, records)


def test_a_divergence_says_who_holds_what():
    anomaly = check(history([(0, 2, 0, 10), (2, 1, 0, 12), (3, 2, 1, 21)])).of("log divergence")[0]
    assert (anomaly.process, anomaly.records, anomaly.offsets, anomaly.count,
            anomaly.time) == ("broker-2", ((12, 12),), ((2, 2),), 1, 9.0)
    assert anomaly.sentence == ("offset 2 of k-0 holds value 12 of epoch 0 on broker-2, "
                                "and value 20 of epoch 1 on its leader broker-1")


def test_where_nobody_looked_there_is_no_verdict():
    assert "log divergence" not in check(History()).verdicts
