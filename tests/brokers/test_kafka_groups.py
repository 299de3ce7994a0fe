"""Consumer groups: what each protocol stops, what it costs, and what must hold under any schedule."""
import random
from types import SimpleNamespace

import numpy as np
import pytest

from simulator import Workload, faults, kafka, simulate
from simulator.brokers.kafka.groups.assignor import ranges, sticky, without_moving
from simulator.brokers.kafka.groups.reconciliation import Reconciled, ReconcilingCoordinator
from simulator.evidence.history import values_of

groups = kafka.groups
PROTOCOLS = ("eager", "cooperative", "static", "consumer")
EVERY_PROTOCOL = pytest.mark.parametrize("protocol", PROTOCOLS)
WORKLOAD = Workload(rate=120, seconds=120, consumers=4)


def run(protocol, events=(), faults=(), workload=WORKLOAD, seed=7, settle=150, **settings):
    return simulate(kafka.Group(protocol=protocol, events=tuple(events), **settings), workload, faults=faults,
                    seed=seed, settle=settle)


def delivered_once(result) -> bool:
    """Whether every record reached somebody."""
    rows, total = result.history.polls.rows, len(result.history.created[0])
    return all(np.array_equal(np.unique(values_of(rows[rows["key"] == key])), np.arange(total))
               for key in range(len(result.history.keys)))


def offsets_only_grow(result) -> bool:
    rows = result.trace.events.rows[result.trace.where("committed")]
    return all(np.all(np.diff(rows["offset"][rows["key"] == key]) > 0) for key in range(len(result.trace.keys)))


@EVERY_PROTOCOL
def test_a_quiet_group_delivers_everything_once(protocol):
    result = run(protocol)
    assert delivered_once(result) and groups.duplicates(result.history) == 0
    assert groups.owners_at_once(result.trace) == 1
    assert result.check().verdicts["lost write"].word == "holds"
    assert groups.rebalances(result.trace, since=20) == 0
    committed = result.trace.events.rows[result.trace.where("committed")]
    assert set(committed["key"][committed["time"] < 20]) == set(range(12))  # by the clock of auto_commit_interval
    assert result.seconds < WORKLOAD.seconds + 10


@EVERY_PROTOCOL
def test_a_rolling_restart_ends_with_the_last_member_and_loses_nothing(protocol):
    """Two rebalances a member (static: none), and a question left open by an earlier life disturbs no later one."""
    result = run(protocol, groups.rolling_restart(4, 30, 20, 5), workload=Workload(rate=120, seconds=180, consumers=4))
    assert groups.time_to_stable(result.trace, since=95) < 15
    assert groups.duplicates(result.history) == 0 and delivered_once(result)
    assert len(result.trace.where("left_behind")) == 0


def revoked(protocol) -> int:
    """How many different partitions stop when a fourth member joins three."""
    trace = run(protocol, [groups.join("consumer-4", at=50)]).trace
    gone = trace.events.rows[trace.where("revoked")]
    return len(np.unique(gone["key"][gone["time"] >= 50]))


def test_eager_stops_everything_the_others_only_what_moves():
    assert [revoked(protocol) for protocol in PROTOCOLS] == [12, 3, 12, 3]


def test_a_static_member_restarts_unnoticed():
    restart = [groups.stop("consumer-2", at=50, lasts=10)]
    assert groups.rebalances(run("static", restart).trace, since=20) == 0
    assert groups.rebalances(run("eager", restart).trace, since=20) == 2
    assert groups.rebalances(run("consumer", restart, group_instance_id=True).trace, since=20) == 0


@EVERY_PROTOCOL
def test_a_crash_costs_the_session_timeout(protocol):
    trace = run(protocol, faults=[faults.crash("consumer-2", at=50)]).trace
    assert 3 * 40 < groups.paused_partition_seconds(trace, since=50) < 3 * 52 + 12 * 6
    assert 40 < groups.time_to_stable(trace, since=50) < 56


@EVERY_PROTOCOL
def test_a_member_that_polls_too_seldom_is_put_out_and_reads_again_what_it_had(protocol):
    result = run(protocol, [groups.stall("consumer-1", at=50, lasts=60)], max_poll_interval=20.0, session_timeout=10.0)
    assert "consumer-1" in [result.trace.nodes[n].name
                            for n in result.trace.events.rows[result.trace.where("poll_expired")]["node"]]
    assert groups.duplicates(result.history) > 0 and delivered_once(result) and groups.owners_at_once(result.trace) == 1


@EVERY_PROTOCOL
@pytest.mark.parametrize("session_timeout", [8.0, 20.0])
def test_the_session_timeout_is_how_long_a_dead_member_is_waited_for(protocol, session_timeout):
    trace = run(protocol, faults=[faults.crash("consumer-2", at=50)], session_timeout=session_timeout).trace
    removed = trace.events.rows[trace.where("removed")]
    assert session_timeout - 5 <= removed["time"][0] - 50 <= session_timeout and len(removed) == 1


@EVERY_PROTOCOL
def test_max_poll_records_keeps_a_backlog_within_the_poll_interval(protocol):
    """A backlog of 720 records at 50 ms each: all at once takes 36 s, twenty at a time takes one."""
    late, workload = [groups.join("consumer-1", at=30)], Workload(rate=24, seconds=40, consumers=1, work=0.05)
    hasty, patient = (run(protocol, late, workload=workload, max_poll_interval=10.0, max_poll_records=records)
                      for records in (500, 20))
    assert len(hasty.trace.where("poll_expired")) > 0 == len(patient.trace.where("poll_expired"))
    assert groups.duplicates(hasty.history) > 0 == groups.duplicates(patient.history)


def test_an_eager_group_waits_for_its_slowest_member_and_kip_848_does_not():
    slow = [groups.stall("consumer-1", at=49, lasts=20), groups.join("consumer-4", at=50)]
    paused = {protocol: groups.paused_partition_seconds(run(protocol, slow).trace, since=50, until=69)
              for protocol in PROTOCOLS}
    assert min(paused["eager"], paused["static"]) > 8 * 15
    assert max(paused["cooperative"], paused["consumer"]) < 60 and paused["consumer"] < 12


def test_a_static_member_that_polls_too_seldom_is_waited_for_until_its_session_ends():
    """"Partitions will not be immediately reassigned" (max.poll.interval.ms, Kafka's documentation)."""
    stalled = [groups.stall("consumer-1", at=50, lasts=60)]
    gone = {}
    for static in (None, True):
        trace = run("eager", stalled, max_poll_interval=20.0, session_timeout=15.0, group_instance_id=static).trace
        expired, removed = (float(trace.events.rows["time"][trace.where(name)[0]])
                            for name in ("poll_expired", "removed"))
        gone[static] = removed - expired
    assert gone[None] < 0.1 and 10 < gone[True] <= 15


@EVERY_PROTOCOL
def test_a_commit_of_an_old_generation_is_refused(protocol):
    """In the trace, in the story, and at the end of the chain behind what was delivered twice."""
    result = run(protocol, faults=[faults.pause("consumer-1", at=50, lasts=60)])
    refused = result.trace.where("refused")
    assert len(refused) > 0 and offsets_only_grow(result)
    sentence = result.trace.describe(refused[0])
    assert "refuses the commit of consumer-1" in sentence and sentence in str(result.story(since=105, limit=60))
    assert result.why(groups.redeliveries(result.history)[0]).lines[-1].sentence == sentence


def test_a_late_commit_counts_for_what_a_member_still_has():
    """KIP-848 since 4.3 (KIP-1251): an older epoch is refused for partitions that have moved since, and no others."""
    rules = ReconcilingCoordinator.__new__(ReconcilingCoordinator)
    member, other = Reconciled(SimpleNamespace(world=SimpleNamespace(now=0.0)), (1, 0)), object()
    member.epoch, member.since, member.revoking = 5, {0: 3, 1: 5, 2: 3, 3: 3}, frozenset({3})
    rules.members, rules.holder = {member.id: member}, {0: member, 1: member, 2: other, 3: member}
    refused = {keys: rules.commit_refusal((1, 0), 4, keys) for keys in ((0,), (0, 3), (0, 1), (2,))}
    assert refused == {(0,): "", (0, 3): "", (0, 1): "old generation", (2,): "old generation"}
    assert rules.commit_refusal((1, 0), 6, (0,)) == "old generation"
    assert rules.commit_refusal((1, 1), 5, (0,)) == "unknown member"
    assert rules.commit_refusal((1, 0), 5, (0, 1)) == ""


def test_a_static_member_that_missed_a_generation_is_known_by_name_and_refused_all_the_same():
    slow = [groups.stall("consumer-1", at=49.95, lasts=6), groups.join("consumer-4", at=50)]
    result = run("static", slow, max_poll_interval=5.0, auto_commit_interval=0.5)
    (refused,) = result.trace.where("refused")
    assert "refuses the commit of consumer-1 (old generation)" in result.trace.describe(refused)
    assert offsets_only_grow(result)
    assert groups.duplicates(result.history) > 0 and groups.owners_at_once(result.trace) == 1


@EVERY_PROTOCOL
def test_who_left_for_polling_too_seldom_cannot_commit(protocol):
    result = run(protocol, [groups.stall("consumer-1", at=50, lasts=60)], max_poll_interval=20.0, session_timeout=10.0)
    failed = result.trace.events.rows[result.trace.where("commit_failed")]
    assert failed["count"].tolist() == [3] and 110 < failed["time"][0] < 111 and not len(result.trace.where("refused"))
    assert "cannot commit" in result.why(groups.redeliveries(result.history)[0]).lines[-1].sentence


def test_ownership_and_pauses_are_two_sides_of_one_thing():
    trace = run("eager", [groups.join("consumer-4", at=50)]).trace
    owned = sum(end - start for spans in groups.ownership(trace, 45, 60).values() for _, start, end in spans)
    assert owned + groups.paused_partition_seconds(trace, 45, 60) == pytest.approx(12 * 15)
    assert all(a[2] <= b[1] for spans in groups.ownership(trace).values() for a, b in zip(spans, spans[1:]))


def schedule(seed: int):
    """Up to three events in a small group with short timeouts, and whether its members have names of their own."""
    draw, happen, broken = random.Random(seed), [], []
    for _ in range(draw.randint(1, 3)):
        name, at = f"consumer-{draw.randint(1, 3)}", round(draw.uniform(0, 8), 3)
        lasts = round(draw.choice([0.2, 1, 4]) * draw.uniform(.5, 2), 3)
        nodes = draw.choice([name, name, "coordinator"])
        choice = draw.randrange(8)
        if choice < 3:
            happen.append((groups.stop, groups.stall, groups.stop)[choice](name, at, lasts))
        elif choice == 3:
            happen.append(groups.join(name, at))
        else:
            broken.append([lambda: faults.crash(nodes, at, lasts), lambda: faults.pause(nodes, at, lasts),
                           lambda: faults.isolate(name, at=at, lasts=lasts),
                           lambda: faults.crash(name, at, lasts)][choice - 4]())
    return happen, broken, draw.random() < 0.3


SMALL = dict(partitions=5, session_timeout=3.0, heartbeat_interval=0.5, max_poll_interval=3.0,
             initial_rebalance_delay=0.5, auto_commit_interval=1.0, poll_timeout=0.3)
LITTLE = Workload(rate=10, seconds=10, consumers=3, work=0.05)


@EVERY_PROTOCOL
def test_the_promises_hold_under_a_thousand_schedules(protocol):
    """Never two owners; once all is well again, every partition has one and every record is done and committed."""
    for seed in range(1_000):
        happen, broken, named = schedule(seed)
        result = run(protocol, happen, broken, LITTLE, seed, 60, group_instance_id=True if named else None, **SMALL)
        told = f"seed {seed}: {happen} {broken} {named}"
        assert groups.owners_at_once(result.trace) == 1, told
        assert delivered_once(result) and offsets_only_grow(result), told
        assert np.isfinite(groups.time_to_stable(result.trace)), told


def test_a_leader_that_hands_out_what_others_still_own_is_caught(monkeypatch):
    monkeypatch.setattr("simulator.brokers.kafka.groups.classic.without_moving", lambda target, owned: target)
    assert groups.owners_at_once(run("cooperative", [groups.join("consumer-4", at=50)]).trace) == 2


@pytest.mark.parametrize("members", [1, 2, 3, 7, 12, 15])
def test_assignments_are_fair_and_sticky_moves_no_more_than_it_must(members):
    owned = sticky(dict.fromkeys(range(members), ()), 12)
    for assignment in (ranges(range(members), 12), owned, sticky(owned | {members: ()}, 12)):
        sizes = [len(keys) for keys in assignment.values()]
        assert max(sizes) - min(sizes) <= 1 and sorted(sum(assignment.values(), ())) == list(range(12))
    after = sticky(owned | {members: ()}, 12)
    assert len(after[members]) == sum(set(after[m]) != set(owned[m]) and len(set(owned[m]) - set(after[m]))
                                      for m in range(members))
    assert without_moving(after, owned)[members] == ()


@pytest.mark.parametrize("settings, field", [
    ({"protocol": "lazy"}, "protocol"), ({"partitions": 0}, "partitions"), ({"session_timeout": 2}, "session_timeout"),
    ({"protocol": "static", "group_instance_id": False}, "group_instance_id"), ({"events": [1]}, "events")])
def test_nonsense_is_refused_by_name(settings, field):
    with pytest.raises(ValueError, match=f"^{field}: "):
        kafka.Group(**settings)


def test_an_event_needs_a_member():
    with pytest.raises(ValueError, match="^member: 'consumer-9'"):
        run("eager", [groups.stop("consumer-9", at=1)])


@EVERY_PROTOCOL
def test_same_seed_same_trace_and_every_event_has_its_sentence(protocol):
    first, again = (run(protocol, groups.rolling_restart(4, 20, 10, 3)) for _ in range(2))
    assert first.trace.digest() == again.trace.digest()
    assert all(first.trace.describe(event) for event in range(len(first.trace)))
    assert str(first.story(limit=20))
