"""Consumer groups: what each protocol stops, what it costs, and what must hold under any schedule."""
import random
import time

import numpy as np
import pytest

from simulator import Workload, faults, kafka, simulate
from simulator.brokers.kafka.groups.assignor import ranges, sticky, without_moving
from simulator.evidence.history import values_of

groups = kafka.groups
PROTOCOLS = ("eager", "cooperative", "static", "consumer")
EVERY_PROTOCOL = pytest.mark.parametrize("protocol", PROTOCOLS)
WORKLOAD = Workload(rate=120, seconds=120, consumers=4)


def run(protocol, events=(), faults=(), workload=WORKLOAD, seed=7, settle=150, **settings):
    return simulate(kafka.Group(protocol=protocol, events=tuple(events), **settings), workload, faults=faults, seed=seed, settle=settle)


def delivered_once(result) -> bool:
    """Whether every record reached somebody."""
    rows, total = result.history.polls.rows, len(result.history.created[0])
    return all(np.array_equal(np.unique(values_of(rows[rows["key"] == key])), np.arange(total)) for key in range(len(result.history.keys)))


def offsets_only_grow(result) -> bool:
    rows = result.trace.events.rows[result.trace.where("committed")]
    return all(np.all(np.diff(rows["offset"][rows["key"] == key]) > 0) for key in range(len(result.trace.keys)))


@EVERY_PROTOCOL
def test_a_quiet_group_delivers_everything_once(protocol):
    result = run(protocol)
    assert delivered_once(result) and groups.duplicates(result.history) == 0 and groups.owners_at_once(result.trace) == 1
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
    assert "consumer-1" in [result.trace.nodes[n].name for n in result.trace.events.rows[result.trace.where("poll_expired")]["node"]]
    assert groups.duplicates(result.history) > 0 and delivered_once(result) and groups.owners_at_once(result.trace) == 1


def test_a_commit_of_an_old_generation_is_refused():
    result = run("eager", faults=[faults.pause("consumer-1", at=50, lasts=60)])
    assert len(result.trace.where("refused")) > 0 and offsets_only_grow(result)


def schedule(seed: int):
    """Up to three things that happen to a small group with short timeouts."""
    draw, happen, broken = random.Random(seed), [], []
    for _ in range(draw.randint(1, 3)):
        name, at, lasts = f"consumer-{draw.randint(1, 3)}", round(draw.uniform(0, 12), 3), round(draw.choice([0.2, 1, 4]) * draw.uniform(.5, 2), 3)
        nodes = draw.choice([name, name, "coordinator"])
        choice = draw.randrange(7)
        if choice < 3:
            happen.append((groups.stop, groups.stall, groups.stop)[choice](name, at, lasts))
        else:
            broken.append([lambda: faults.crash(nodes, at, lasts), lambda: faults.pause(nodes, at, lasts),
                           lambda: faults.isolate(name, at=at, lasts=lasts), lambda: faults.crash(name, at, lasts)][choice - 3]())
    return happen, broken


@EVERY_PROTOCOL
def test_the_promises_hold_under_any_schedule(protocol):
    for seed in range(75):
        happen, broken = schedule(seed)
        result = run(protocol, happen, broken, Workload(rate=30, seconds=15, consumers=3, work=0.01), seed, 120, partitions=5,
                     session_timeout=3.0, heartbeat_interval=0.5, max_poll_interval=5.0, initial_rebalance_delay=0.5, auto_commit_interval=1.0)
        told = f"seed {seed}: {happen} {broken}"
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
    assert len(after[members]) == sum(set(after[m]) != set(owned[m]) and len(set(owned[m]) - set(after[m])) for m in range(members))
    assert without_moving(after, owned)[members] == ()


@pytest.mark.parametrize("settings, field", [({"protocol": "lazy"}, "protocol"), ({"partitions": 0}, "partitions"), ({"session_timeout": 2}, "session_timeout"),
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


def rebalance_row(members: int = 100, partitions: int = 1_000) -> float:
    """Seconds that it takes to simulate, under all four protocols, one member joining the others."""
    began = time.perf_counter()
    for protocol in PROTOCOLS:
        run(protocol, [groups.join(f"consumer-{members}", at=10)], workload=Workload(rate=1_000, seconds=20, consumers=members),
            partitions=partitions, poll_timeout=1.0)
    return time.perf_counter() - began


def test_the_benchmark_row_can_be_measured():
    assert rebalance_row(20, 100) > 0
