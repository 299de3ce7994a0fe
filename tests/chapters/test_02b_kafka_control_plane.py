"""What chapter 02b says about the control plane is so: its cells are run, the prose held to what they found."""

import pytest
from reading import Chapter
from scenes import control as scenes

SOURCE = Chapter("02b-kafka-control-plane")


def says(text: str) -> bool:
    return any(text in " ".join(prose.split()) for prose in SOURCE.prose + SOURCE.code)


# What it says

def test_four_decisions_the_first_a_fencing_with_a_new_leader_and_each_committed_within_two_milliseconds(chapter):
    table = scenes.decisions(chapter.leader_dies)
    assert len(table) == 4 and says("Four decisions in half a minute")
    assert table["decision"][0] == "broker-1 is fenced; partition 0 led by broker-2 in epoch 1, in sync 2+3"
    assert set(table["committed"]) <= {"1 ms later", "2 ms later"}


def test_the_quorum_fails_over_in_a_second_and_a_half_and_producers_see_nothing(chapter):
    assert 1.4 < scenes.vacancy(chapter.controller_dies) < 1.6 and says("The quorum needs its second and a half")
    assert scenes.waited(chapter.controller_dies) < 0.1 and len(scenes.decisions(chapter.controller_dies)) == 0


def test_a_leader_and_a_controller_are_missed_one_after_the_other(chapter):
    alone, both = scenes.waited(chapter.leader_dies), scenes.waited(chapter.both_die)
    assert alone < 9 < both
    assert scenes.leaderless(chapter.both_die) == pytest.approx(scenes.vacancy(chapter.both_die) + 9, abs=0.1)
    assert chapter.both_die.report.ok


def test_a_paused_leader_acknowledges_what_is_lost_unless_all_must_have_it(chapter):
    assert chapter.careless.report.broken and not chapter.careless.report.ok
    assert chapter.safe.report.ok
    (_, _, old), (_, new, _) = scenes.leaderships(chapter.safe.trace, "orders-0")
    assert old - new == pytest.approx(4, abs=0.1) and says("For four seconds two brokers led the partition")


def test_of_two_controllers_the_old_one_decides_nothing_that_counts(chapter):
    assert scenes.two_at_once(chapter.cut) == pytest.approx(1, abs=0.05) and says("For a second there were two")
    first, *rest = scenes.decisions(chapter.cut).to_dict("records")
    assert first["controller"] == "controller-1" and first["committed"] == "never"
    assert first["decision"].endswith("in sync 1, eligible 2+3")
    assert all(row["controller"] != "controller-1" and row["committed"] != "never" for row in rest)
    assert len(chapter.cut.trace.where("truncate", key="__cluster_metadata")) > 0 and chapter.cut.report.ok


def test_a_combined_node_takes_both_and_its_election_needed_two_attempts(chapter):
    assert scenes.waited(chapter.one_node) > scenes.waited(chapter.both_die)
    rows = chapter.one_node.trace.events.rows
    asked = [time for time in rows["time"][chapter.one_node.trace.where("prospective")] if 5 < time < 10]
    assert len(asked) > 1 and asked[-1] - asked[0] > 1
    assert len(chapter.one_node.trace.where("vote_refused")) > 0


def test_without_a_majority_data_flows_and_nothing_changes(chapter):
    assert scenes.acknowledged(chapter.minority, since=5, until=8) > 250
    assert scenes.acknowledged(chapter.minority, since=8, until=34) == 0
    assert scenes.leaderless(chapter.minority) == pytest.approx(scenes.vacancy(chapter.minority) - 3 + 9, abs=0.1)
    assert scenes.vacancy(chapter.minority) == pytest.approx(20, abs=0.5)


def test_who_leaves_below_the_minimum_stays_eligible_until_it_returns_unclean(chapter):
    found = scenes.decisions(chapter.eligible)["decision"].tolist()
    assert found[1].endswith("in sync 1, eligible 2")
    assert "broker-2 is registered; partition 0 led by broker-1 in epoch 0, in sync 1" in found
    assert "broker-1" in found[-1] and found[-1].endswith("in sync 1+2")


def test_zookeeper_waits_for_its_session_and_then_for_each_partition(chapter):
    trace = chapter.then.trace
    active = float(trace.events.rows["time"][trace.where("active")[0]])
    assert 12 < active - 5 < 18.1
    assert scenes.mean_fail_over("ZooKeeper", 2_000_000) == pytest.approx(15 + 0.15e-3 * 2_000_000, rel=0.05)
    assert says("0.15 ms for each of two million partitions") and says("its 0.14 ms a partition is fitted")


def test_the_commands_name_what_every_controller_must_be_told():
    commands = " ".join(SOURCE.prose)
    for flag in ("format --standalone", "--initial-controllers", "describe --status",
                 "CLUSTER_ID=$(bin/kafka-storage.sh random-uuid)"):
        assert flag in commands
    assert "config/kraft" not in commands


# What is to be turned

def test_the_goals_are_open_at_first_and_can_be_reached(chapter):
    short, long = (condition_of(id) for id in ("02b-short", "02b-long"))
    start = scenes.deaths()
    assert not short(start) and not long(start)
    assert short(scenes.deaths(controller_dies_at=10.0, leader_dies_at=1.0))
    assert long(scenes.deaths(controller_dies_at=12.5, leader_dies_at=6.0))


def condition_of(id: str):
    """The condition of a goal, as the notebook's cell has it."""
    found = {}
    source = next(source for source in SOURCE.code if f'goal("{id}"' in source)
    exec(source, {"goal": lambda id, sentence, condition: found.update({id: condition}), "scenes": scenes})
    return found[id]


