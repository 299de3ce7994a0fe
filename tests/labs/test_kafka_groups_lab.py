"""The lab on rebalances: its model of the mock, its pictures, its notebook, and two acts with real members."""
from pathlib import Path

import pytest
from without import cells_of

from labs import group_figures as figures, needs, rebalances
from labs.members import Members
from labs.mock_groups import MockGroup
from labs.rebalances import ACTS, Cost, inside
from labs.servers import mock_kafka
from simulator.brokers.kafka.groups import Group, owners_at_once
from simulator.evidence.history import History

LAB = Path(needs.__file__).parent / "kafka-groups.md"
WITHOUT = "from labs import needs\nneeds.find = lambda name: None"
BARRIER = rebalances.SETTINGS["session_timeout"] - 1.0


@pytest.fixture(scope="module")
def predicted():
    """By model and group, what each act costs in three simulated runs."""
    kinds = {"kafka": rebalances.protocols(), "mock": rebalances.protocols(MockGroup, assignment_interval=0.0)}
    return {kind: {name: rebalances.predict(group, range(1, 4)) for name, group in groups.items()}
            for kind, groups in kinds.items()}


def middle(predicted, kind, group, act) -> float:
    return sorted(cost.paused for cost in predicted[kind][group][act])[1]


def test_the_mocks_barrier_stands_for_its_time_and_kafkas_falls(predicted):
    for cost in predicted["mock"]["eager"]["join"]:
        assert 6 * (BARRIER - 0.5) - 0.1 < cost.paused < 6 * BARRIER + 0.1  # all hear within a heartbeat
    for cost in predicted["mock"]["cooperative"]["join"]:
        assert cost.paused == pytest.approx(2 * BARRIER, abs=0.1)  # two partitions move, and wait for the second round
    assert middle(predicted, "kafka", "eager", "join") < 1.0


def test_the_mock_refuses_commits_behind_its_barrier(predicted):
    assert all(cost.again == 0 for cost in predicted["kafka"]["eager"]["leave"])
    assert all(cost.again > 0 for cost in predicted["mock"]["eager"]["leave"])


def test_where_there_is_no_barrier_mock_and_kafka_agree(predicted):
    for act in ACTS:
        assert middle(predicted, "mock", "KIP-848", act) < middle(predicted, "kafka", "KIP-848", act) + 3.0


def test_what_the_mock_does_not_know_is_refused():
    with pytest.raises(ValueError, match="protocol: 'static' is unknown to the mock"):
        MockGroup(protocol="static")


def test_a_measurement_is_inside_the_range_or_it_is_not():
    assert inside(10.0, [9.0, 11.0]) and inside(16.0, [9.0, 11.0])
    assert not inside(5.0, [9.0, 11.0]) and not inside(17.0, [9.0, 11.0])


def test_the_pictures_say_what_they_show(predicted):
    kafka, mock = predicted["kafka"], predicted["mock"]
    exact = {act: {name: mock[name][act][0] for name in mock} for act in ACTS}
    exact["kill"]["eager"] = Cost(paused=99.0, stable=30.0, again=0)
    figure = figures.paused(kafka, mock, exact)
    assert figure.headline == "15 of 16 measurements lie where the model of the mock expects them"
    assert "Outside: eager, kill: 99.0." in figure.caption
    figure.canvas.draw()
    shown = figures.table("kill", exact["kill"], mock, kafka)
    assert shown.loc[("eager", "paused (partition-s)"), "measured"] == "99.0"


def test_the_owners_of_a_simulated_run_are_drawn():
    run = rebalances.rehearse(rebalances.protocols()["eager"], seed=1)
    picture = figures.ownership({"eager": run.trace}, rebalances.begins(1), run.seconds, seed=1)
    assert "partition-seconds without an owner" in picture.caption and picture.caption.endswith("Seed 1.")
    picture.canvas.draw()


def test_without_a_mock_the_lab_runs_and_says_what_it_left_out():
    cells = cells_of(LAB, WITHOUT, "the mock cluster of librdkafka is not in this environment")
    assert any("Rolling restart on Kafka" in str(cell.outputs) for cell in cells), "the simulated half shows its figure"


@pytest.mark.real
def test_real_members_cost_what_the_model_of_the_mock_says():
    """Join and kill under the two protocols that differ most; again, if a member was kept from its heartbeat."""
    if not mock_kafka.find():
        pytest.skip(mock_kafka.missing())
    for attempts_left in (3, 2, 1, 0):
        try:
            return join_and_kill()
        except AssertionError:
            if not attempts_left:
                raise


def join_and_kill() -> None:
    """What both acts cost, within the bounds."""
    chosen = {name: rebalances.protocols()[name] for name in ("cooperative", "KIP-848")}
    with mock_kafka.cluster(topics={"orders": 6}) as cluster:
        cluster.groups(initial_rebalance_delay=1.0, session_timeout=3.0, heartbeat_interval=0.5)
        play = rebalances.Play(cluster, chosen).start()
        measured = {act: play.act(act) for act in ("join", "kill")}
        play.stop()
        for name in chosen:
            join, kill = measured["join"][name], measured["kill"][name]
            assert join.paused > 0 and owners_at_once(play.trace(name)) == 1
            assert kill.paused > 2 * 2.0  # two partitions, and silence has to last for a session less a heartbeat
            assert kill.stable > 2.0
            seen = play.history(name)
            assert seen.records_sent() > 200 and (seen.polls.rows["value"] == seen.polls.rows["offset"]).all()
        assert measured["join"]["KIP-848"].paused < measured["join"]["cooperative"].paused


def test_a_member_that_does_not_run_cannot_be_killed():
    members = Members(cluster=None, group=Group())
    with pytest.raises(ValueError, match="name: 'consumer-1' is not a running member; none is"):
        members.kill("consumer-1")
    assert members.owners() == {key: [] for key in range(12)} and len(members.read(History(), 0.0).polls) == 0
