"""Raft: elections, logs, promises and settings, one rule at a time; times agree with theory."""
from dataclasses import replace
from math import sqrt
from random import Random

import numpy as np
import pytest
from scipy.stats import gamma
from raft_groups import EVERY_FORM, EVERYTHING, FORMS, group, run, schedule

from simulator import theory
from simulator.kernel import faults
from simulator.kernel.disk import Disk, DiskProfile
from simulator.kernel.distributions import Exponential, Uniform
from simulator.kernel.network import NetworkProfile
from simulator.kernel.raft import Config, Entry, Group, Log, Member
from simulator.kernel.world import World

# Elections

def returns(pre_vote: bool) -> tuple[int, int]:
    """The group's term before a member was cut off for two seconds, and after it is back."""
    raft = group(Config(pre_vote=pre_vote))
    run(raft, 2.0)
    before, lost = raft.leader.term, next(member for member in raft.voters if member.role == "follower")
    faults.drop([lost.name], [name for name in raft.members if name != lost.name], at=0.0,
                lasts=2.0).schedule(raft.world)
    run(raft, 6.0)
    return before, raft.leader.term


def test_a_member_that_was_cut_off_deposes_the_leader_unless_it_asks_first():
    before, after = returns(pre_vote=True)
    assert after == before
    before, after = returns(pre_vote=False)
    assert after > before + 3


@pytest.mark.parametrize("form", ["push", "pull"])
@pytest.mark.parametrize("check_quorum", [0.4, float("inf")])
def test_a_leader_that_hears_nobody_steps_down_with_check_quorum_only(form, check_quorum):
    """Heard by all, hearing none: without check-quorum the others are content (push), and nothing commits, ever."""
    raft = group(replace(FORMS[form], check_quorum=check_quorum))
    run(raft, 2.0)
    leader, done = raft.leader, []
    for member in raft.voters:
        if member is not leader:
            faults.mute(member.name, [leader.name], at=0.0).schedule(raft.world)
    run(raft, 2.01)
    assert leader.propose(1, lambda offset, event: done.append(offset)) is not None
    run(raft, 4.0)
    assert (leader.role == "leader") == (check_quorum > 1) and not done
    assert (raft.leader is leader) == (check_quorum > 1 and form == "push")


@EVERY_FORM
def test_observers_copy_and_neither_vote_nor_count(form):
    raft = group(FORMS[form], voters=3, observers=2)
    run(raft, 3.0)
    one, other = [member for member in raft.voters if member is not raft.leader]
    one.node.crash()
    other.node.crash()
    done = []
    raft.propose(1, lambda offset, event: done.append(offset))
    run(raft, 3.2)
    assert not done and all(not raft.members[name].voter for name in ("node-4", "node-5"))
    other.node.restart()
    run(raft, 6.0)
    observers = [raft.members[name] for name in ("node-4", "node-5")]
    assert all(member.role == "observer" and member.voted_for is None for member in observers)
    assert all(member.log.entries == raft.leader.log.entries and member.high_watermark == raft.leader.high_watermark
               for member in observers)


def test_an_old_entry_is_committed_only_along_with_one_of_the_leaders_term():
    """Figure 8 of the paper: that a majority holds an entry of an earlier term does not make it safe."""
    raft = group(Config(election_timeout=Uniform(10, 11)), voters=5)
    leader = raft.voters[0]
    leader.log.append([Entry(1, 1), Entry(2, 2)], 0.0)
    leader.log.flushed = 2
    leader.term, leader.role, leader.leader = 4, "leader", leader.name
    leader.match = {"node-2": 2, "node-3": 2, "node-4": 0, "node-5": 0}
    leader.advance(-1)
    assert leader.high_watermark == 0
    leader.log.append([Entry(4, 4)], 0.0)
    leader.log.flushed = 3
    leader.match.update({"node-2": 3, "node-3": 3})
    leader.replication.next = {name: 3 for name in leader.match}
    leader.advance(-1)
    assert leader.high_watermark == 3


@EVERY_FORM
def test_what_a_deposed_leader_appended_alone_is_cut_away_and_its_client_never_called(form):
    raft, done = group(FORMS[form]), []
    run(raft, 2.0)
    old = raft.leader
    faults.isolate(old.name, at=0.0, lasts=2.0).schedule(raft.world)
    run(raft, 2.01)
    for number in range(5):
        old.propose(number, lambda offset, event: done.append("old"))
    run(raft, 3.8)
    assert raft.leader is not old
    assert raft.propose(99, lambda offset, event: done.append("new")) is not None
    run(raft, 7.0)
    assert done == ["new"] and old.log.entries == raft.leader.log.entries
    assert sum(raft.world.trace.events.rows["count"][raft.world.trace.where("truncate", node=old.name)]) == 5


def test_only_a_leader_takes_entries():
    raft = group()
    assert raft.leader is None and raft.propose(1) is None
    run(raft, 2.0)
    assert [member.propose(1) is not None for member in raft.voters].count(True) == 1


def test_members_apply_what_is_committed_in_order_and_again_after_a_restart():
    raft, applied = group(), {}
    raft.apply = lambda member, offset, entry, event: applied.setdefault(member.name, []).append((offset, entry.value))
    run(raft, 2.0)
    for number in range(3):
        raft.propose(number)
    run(raft, 2.3)
    expected = [(0, None), (1, 0), (2, 1), (3, 2)]
    assert applied == {name: expected for name in raft.members}
    follower = next(member for member in raft.voters if member.role == "follower")
    follower.node.crash()
    follower.node.restart()
    run(raft, 3.0)
    assert applied[follower.name] == expected * 2


# Promises

def follower_of(raft: Group) -> Member:
    return next(member for member in raft.voters if member.role == "follower")


def test_a_healthy_group_grants_no_pre_vote():
    raft = group(Config(pre_vote=True))
    run(raft, 2.0)
    leader, before = raft.leader, raft.leader.term
    follower_of(raft).stand()
    run(raft, 3.0)
    assert raft.leader is leader and {member.term for member in raft.voters} == {before}


def test_a_leader_counts_itself_only_when_its_own_disk_is_done():
    raft, done = group(), []
    run(raft, 2.0)
    leader = raft.leader
    leader.disk = Disk(leader.node, DiskProfile(fsync=0.02))
    follower_of(raft).node.crash()
    begun = raft.world.now
    raft.propose(1, lambda offset, event: done.append(raft.world.now))
    run(raft, 2.1)
    assert done and done[0] - begun >= 0.02


def test_entries_taken_over_in_one_term_are_not_confirmed_in_the_next():
    """A new leader may have cut them away between the write and its fsync."""
    raft = group()
    run(raft, 2.0)
    follower, trace = follower_of(raft), raft.world.trace
    before = len(trace.where("replicate", node=follower.name))
    raft.propose(1)
    while len(trace.where("replicate", node=follower.name)) == before:
        raft.world.env.step()
    answers = len(trace.where("appended", node=follower.name))
    follower.observe(raft.leader.term + 1, -1)
    run(raft, raft.world.now + 0.02)
    assert len(trace.where("appended", node=follower.name)) == answers


def test_a_fetch_that_waited_for_the_disk_is_not_sent_by_a_candidate():
    raft = group(FORMS["pull"])
    run(raft, 2.0)
    follower, trace = follower_of(raft), raft.world.trace
    follower.voted_for = "node-9"  # something to flush
    follower.replication.fetch(raft.leader.name, -1)
    fetches = len(trace.where("fetch_entries", node=follower.name))
    follower.stand()
    raft.world.run(raft.world.now + 0.004)
    assert len(trace.where("fetch_entries", node=follower.name)) == fetches


def test_a_paused_member_that_finds_heartbeats_when_it_goes_on_does_not_stand():
    raft = group()
    run(raft, 2.0)
    follower, before = follower_of(raft), raft.leader.term
    faults.pause(follower.name, at=0.0, lasts=0.4).schedule(raft.world)
    run(raft, 3.0)
    assert {member.term for member in raft.voters} == {before}


# The log

def test_where_a_term_ends():
    log = Log()
    log.append([Entry(1, "a"), Entry(1, "b"), Entry(3, "c")], 0.0)
    assert [log.end_of_term(term) for term in range(5)] == [(0, 0), (1, 2), (1, 2), (3, 3), (3, 3)]
    assert log.holds(2, 1) and log.holds(0, 0) and not log.holds(2, 3) and not log.holds(4, 3)
    assert log.covers(3, 3) and log.covers(4, 1) and not log.covers(3, 2) and not log.covers(2, 9)


def test_a_log_cut_during_an_fsync_does_not_count_what_came_after_as_flushed():
    log = Log()
    log.append([Entry(1, "a"), Entry(1, "b")], 0.0)
    log.flushing = 2
    log.truncate(1)
    log.append([Entry(2, "c")], 0.0)
    assert log.flushing == 1
    assert log.lose_unflushed(written_before=-1.0) == [Entry(1, "a"), Entry(2, "c")]


# Evidence

@EVERY_FORM
def test_the_same_seed_gives_the_same_trace_and_every_event_has_a_sentence(form):
    def trace(seed):
        raft = group(FORMS[form], observers=1, seed=seed)
        schedule(raft, Random(seed), 2.0, EVERYTHING)
        raft.world.run(3.0)
        return raft.world.trace
    first = trace(5)
    assert first.digest() == trace(5).digest() != trace(6).digest()
    assert all(first.describe(event) for event in range(len(first)))
    elected = first.where("elected")
    assert len(elected)
    assert {"candidate", "vote"} <= {first.kinds[first.events.rows["kind"][e]].name
                                     for e in first.causes(int(elected[0]))}


def test_a_commit_knows_what_led_to_it():
    raft = group(Config.kraft())
    run(raft, 10.0)
    raft.propose(42)
    run(raft, 10.1)
    trace = raft.world.trace
    chain = trace.causes(int(trace.where("high_watermark", node=raft.leader.name)[-1]))
    story = [trace.kinds[trace.events.rows["kind"][event]].name for event in chain]
    assert story == ["append", "entries", "receive", "fetch_entries", "receive", "high_watermark"]


def test_groups_share_nodes():
    world = World(3)
    nodes = [world.node(f"node-{i}", "broker") for i in range(3)]
    disks = {node.name: Disk(node, DiskProfile()) for node in nodes}
    groups = [Group(world, f"orders-{i}", nodes, Config(), disks=disks) for i in range(4)]
    world.run(2.0)
    nodes[0].crash()
    nodes[0].restart()
    world.run(4.0)
    assert all(raft.leader and raft.propose(1) is not None for raft in groups)


# Configuration

@pytest.mark.parametrize("settings, sentence", [
    (dict(form="both"), "form: 'both' is not allowed; it must be push or pull"),
    (dict(election_timeout=0.0), "election_timeout: .* greater than 0"),
    (dict(election_timeout="long"), "election_timeout: 'long' is not a number"),
    (dict(heartbeat=0.2), "heartbeat: 0.2 .* below the shortest time a follower waits, 0.15 seconds"),
    (dict(form="pull", fetch_timeout=0.4), "fetch_wait: 0.5 .* below"),
    (dict(check_quorum=0.01), "check_quorum: 0.01 .* longer than a heartbeat"),
    (dict(election_backoff_max=-1), "election_backoff_max: -1 .* at least 0"),
    (dict(pre_vote="yes"), "pre_vote: 'yes' .* True or False"),
])
def test_a_wrong_setting_is_refused_by_name(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        Config(**settings)


def test_a_group_of_eight_is_refused():
    with pytest.raises(ValueError, match="voters: .* must be 1 to 7 nodes"):
        group(voters=8)
    world = World()
    nodes = [world.node("a", "broker"), world.node("b", "broker")]
    with pytest.raises(ValueError, match="observers: .* not members yet"):
        Group(world, "g", nodes, observers=nodes[:1])


# Theory

def first_timeout(config: Config, voters: int, seed: int) -> float:
    raft = group(config, voters, seed=seed, trace=False)
    while all(member.role == "follower" for member in raft.voters):
        raft.world.env.step()
    return raft.world.now


@pytest.mark.parametrize("minimum, width, voters, mean",
                         [(0.15, 0.15, 4, 0.180), (0.15, 0.15, 2, 0.200), (1.0, 1.0, 2, 1.3333)])
def test_the_first_election_timeout_is_the_minimum_plus_a_share_of_the_width(minimum, width, voters, mean):
    config = Config(election_timeout=Uniform(minimum, minimum + width))
    times = [first_timeout(config, voters, seed) for seed in range(300)]
    expected = theory.election_timeout(minimum, width, voters)
    sigma = width * sqrt(voters / ((voters + 1) ** 2 * (voters + 2)))
    assert expected == pytest.approx(mean, abs=1e-4)
    assert abs(np.mean(times) - expected) < 4 * sigma / sqrt(len(times))


def downtime(config: Config, voters: int, seed: int, network=None, settle: float = 30.0) -> tuple[float, float]:
    """Seconds without a leader after a crash, and how long before it the first follower had heard from the leader."""
    raft = group(config, voters, seed=seed, network=network, trace=False)
    raft.world.run(settle + Random(seed).uniform(0.0, config.heartbeat))
    old, crashed = raft.leader, raft.world.now
    heard = min(member.heard for member in raft.voters if member is not old)
    old.node.crash()
    while not raft.leader:
        raft.world.env.step()
    return raft.world.now - crashed, crashed - heard


def test_nats_is_without_a_leader_for_four_to_nine_seconds_from_the_last_heartbeat():
    times = [sum(downtime(Config.nats(), 3, seed)) for seed in range(100)]
    a_round = 0.01
    assert 4.0 <= min(times) and max(times) <= 9.0 + a_round
    sigma = 5.0 * sqrt(2 / (3 ** 2 * 4))
    assert abs(np.mean(times) - theory.election_timeout(4.0, 5.0, 2)) < 4 * sigma / sqrt(len(times)) + a_round


def test_kraft_is_without_a_leader_for_about_two_to_four_seconds():
    """Derived, not published: the fetch timeout less the last fetch's age, then an election; two if a vote splits."""
    times = [downtime(Config.kraft(), 3, seed)[0] for seed in range(60)]
    assert min(times) > 1.5 and np.median(times) < 4.0


@pytest.mark.parametrize("voters, others_needed", [(3, 1), (5, 2)])
@pytest.mark.parametrize("form", ["push", "pull"])
def test_a_commit_waits_for_the_fastest_others_that_make_a_majority(form, voters, others_needed):
    """An answer is two exponential journeys, so Erlang-2; a commit needs k of the n others."""
    one_way, count = 0.01, 800
    quiet = dict(election_timeout=Uniform(60, 120), heartbeat=20.0, fetch_wait=19.0, fsync=False, form=form)
    raft = group(Config(**quiet), voters,
                 network=NetworkProfile(Exponential(one_way), Exponential(one_way), float("inf")), trace=False)
    raft.world.run(300.0)
    waits = []
    for number in range(count):
        begun = raft.world.now
        raft.propose(number, lambda offset, event: waits.append(raft.world.now - begun))
        raft.world.run(begun + 0.5)
    for p in (0.5, 0.9, 0.99):
        quantile = theory.kth_of_n_quantile(lambda level: gamma.ppf(level, 2, scale=one_way), p,
                                            others_needed, voters - 1)
        assert abs(np.mean(np.array(waits) <= quantile) - p) < 4 * sqrt(p * (1 - p) / count)
    assert len(waits) == count
