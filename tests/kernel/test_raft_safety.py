"""Raft: what must always be true stays true under faults, in both forms, and every such check can fail."""
from dataclasses import replace
from random import Random

import pytest
from raft_groups import EVERY_FORM, FORMS, group, run, schedule, under_faults

from simulator.kernel import faults
from simulator.kernel.distributions import Uniform
from simulator.kernel.raft import Config, Member
from simulator.kernel.raft.invariants import INVARIANTS, Seen, broken

# Safety and liveness

@EVERY_FORM
@pytest.mark.parametrize("voters, observers", [(3, 1), (5, 0)])
@pytest.mark.parametrize("seed", range(10))
def test_invariants_hold_under_random_faults_and_the_group_recovers(form, voters, observers, seed):
    assert under_faults(form, voters, observers, seed) == []


@pytest.mark.parametrize("voters", range(1, 8))
@pytest.mark.parametrize("form", ["push", "pull, pre-vote"])
def test_a_majority_is_enough_and_less_is_not(form, voters):
    raft = group(FORMS[form], voters)
    assert run(raft, 3.0) == []
    followers = [member for member in raft.voters if member is not raft.leader]
    spare = voters - raft.majority
    done = []
    for member in followers[:spare]:
        member.node.crash()
    raft.propose(1, lambda offset, event: done.append(offset))
    assert run(raft, 3.2) == [] and len(done) == 1
    if voters > 1:
        followers[spare].node.crash()
        raft.propose(2, lambda offset, event: done.append(offset))
        assert run(raft, 6.0) == [] and len(done) == 1


# Every invariant can fail

class ForgetsItsTerm(Member):
    def stop(self, power_lost):
        self.term = 0
        super().stop(power_lost)


class ForgetsItsVote(Member):
    def stop(self, power_lost):
        self.voted_for = None
        super().stop(power_lost)


class CommitsAlone(Member):
    def majority_of(self, peers, own):
        return own


class VotesForAnyLog(Member):
    def would_vote(self, request):
        return request.term >= self.term and self.voted_for in (None, request.candidate)


class AppendsBlindly(Member):
    def accept(self, offset, entries, event):
        self.log.append(list(entries), self.world.now)


class NeverFlushes(Member):
    """Says that all is on disk, which is what `fsync=False` does honestly."""
    def persist(self, effect, *args):
        self.log.flushing = 0
        effect(*args)

    def majority_of(self, peers, own):
        return super().majority_of(peers, self.log.end_offset if peers is self.match else own)


def breaks(invariant: str, member: type[Member], form: str, kinds: list[str]) -> bool:
    """Whether a wrong member breaks an invariant within a few random schedules."""
    for seed in range(12):
        raft, seen = group(FORMS[form], seed=seed, member=member, trace=False), Seen()
        schedule(raft, Random(seed), 3.0, kinds, count=12)
        while raft.world.env.peek() < 3.0:
            raft.world.env.step()
            if any(problem.startswith(invariant) for problem in broken(raft, seen)):
                return True
    return False


@pytest.mark.parametrize("invariant, member, form, kinds", [
    ("MonotonicEpoch", ForgetsItsTerm, "push", ["crash"]),
    ("MonotonicEpoch", ForgetsItsTerm, "pull", ["crash"]),
    ("MajorityReachedHighWatermark", CommitsAlone, "push", ["isolate"]),
    ("MajorityReachedHighWatermark", CommitsAlone, "pull", ["isolate"]),
    ("MonotonicHighWatermark", NeverFlushes, "push", ["blackout"]),
    ("MonotonicHighWatermark", NeverFlushes, "pull", ["blackout"]),
    ("ConsistentCommittedData", VotesForAnyLog, "push", ["isolate", "drop"]),
    ("ConsistentCommittedData", CommitsAlone, "pull", ["isolate", "drop"]),
    ("LeaderCompleteness", VotesForAnyLog, "push", ["isolate", "drop"]),
    ("LeaderCompleteness", VotesForAnyLog, "pull", ["isolate", "drop"]),
    ("LogMatching", AppendsBlindly, "push", ["crash", "drop"]),
])
def test_an_invariant_fails_for_a_member_that_is_wrong(invariant, member, form, kinds):
    assert breaks(invariant, member, form, kinds)
    assert not breaks(invariant, Member, form, kinds)


@pytest.mark.parametrize("member, elected_twice", [(Member, False), (ForgetsItsVote, True)])
def test_a_vote_that_does_not_survive_a_crash_elects_two_leaders_in_one_term(member, elected_twice):
    """The third voter votes, crashes, starts again and is asked by the other candidate."""
    raft, seen = group(Config(election_timeout=Uniform(10, 11)), member=member), Seen()
    first, second, third = raft.voters
    faults.partition([first.name], [second.name], at=0.0).schedule(raft.world)
    raft.world.run(1.0)
    first.stand()
    while first.role != "leader":
        raft.world.env.step()
    third.node.crash()
    third.node.restart()
    second.stand()
    problems = run(raft, 1.01, seen)
    assert bool(problems) == elected_twice
    assert not elected_twice or "SingleLeader: both node-1 and node-2 were elected in term 1" in problems


def test_the_named_invariants_are_all_there():
    assert [invariant.__doc__.split(":")[0] for invariant in INVARIANTS] == [
        "MonotonicEpoch", "SingleLeader", "MajorityReachedHighWatermark", "MonotonicHighWatermark",
        "ConsistentCommittedData", "LeaderCompleteness", "LogMatching"]


# fsync

@pytest.mark.parametrize("form", ["push", "pull"])
@pytest.mark.parametrize("fsync", [True, False])
def test_one_power_loss_loses_committed_data_without_fsync(form, fsync):
    """One member is cut off, two commit, one of these loses power: the two that are left do not have the entry."""
    raft, seen = group(replace(FORMS[form], fsync=fsync)), Seen()
    assert run(raft, 2.0, seen) == []
    leader = raft.leader
    holder, absent = [member for member in raft.voters if member is not leader]
    done = []
    faults.drop([absent.name], [leader.name, holder.name], at=0.0, lasts=0.05).schedule(raft.world)
    raft.world.after(0.01, leader.propose, 42, lambda offset, event: done.append(offset))
    raft.world.after(0.04, leader.node.crash)
    raft.world.after(0.04, holder.node.lose_power)
    raft.world.after(0.05, holder.node.restore_power)
    problems = run(raft, 5.0, seen)
    assert done
    if fsync:
        assert problems == [] and any(entry.value == 42 for entry in raft.leader.log.entries)
    else:
        assert problems and problems[0].startswith("LeaderCompleteness")


def test_a_crash_keeps_the_page_cache_and_the_system_writes_it_back_in_time():
    raft = group(replace(Config(), fsync=False), voters=1, writeback=1.0)
    run(raft, 2.0)
    member, old = raft.leader, raft.propose(1)
    run(raft, 3.5)
    new = raft.propose(2)
    member.node.crash()
    assert [member.log.entries[offset].value for offset in (old, new)] == [1, 2]
    member.node.lose_power()
    assert member.log.end_offset == new and member.log.entries[old].value == 1


def test_a_restart_finds_term_vote_and_log_and_nothing_else():
    raft = group()
    run(raft, 2.0)
    raft.propose(1)
    run(raft, 2.2)
    for member in raft.voters:
        before = member.term, member.voted_for, list(member.log.entries)
        assert member.high_watermark == 2
        member.node.lose_power()
        member.node.restore_power()
        assert (member.term, member.voted_for, member.log.entries) == before
        assert (member.role, member.leader, member.high_watermark) == ("follower", None, 0)


def test_one_fsync_serves_all_who_wait():
    raft = group()
    run(raft, 2.0)
    before, done = raft.world.meters.counts["fsync"], []
    for number in range(100):
        raft.propose(number, lambda offset, event: done.append(offset))
    run(raft, 2.1)
    assert done == list(range(1, 101))
    assert raft.world.meters.counts["fsync"] - before <= 10, "100 entries on three disks"
