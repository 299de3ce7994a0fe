"""The control plane fails over and keeps its promises: one log of decisions, whoever is cut off, paused or killed."""
import pytest

from simulator import Workload, faults, kafka, simulate
from simulator.brokers.kafka.control.active import ActiveController, AlterPartition
from simulator.kernel.raft.invariants import Seen, broken
from simulator.kernel.world import World

from . import control_schedules

BLOCK = 125
BLOCKS = [(plane, first) for plane, count in (("separate", 500), ("combined", 250), ("five", 250))
          for first in range(0, count, BLOCK)]
STEADY = Workload(rate=100, seconds=40, keys=50)
THREE = kafka.Cluster(partitions=1, control=kafka.KRaft())


@pytest.fixture
def watch(monkeypatch) -> control_schedules.Watch:
    return control_schedules.Watch(monkeypatch)


def times(run, kind: str, node: str | None = None) -> list[float]:
    """When something happened (to this node)."""
    rows, codes = run.trace.events.rows, [info.name for info in run.trace.nodes]
    return [float(rows["time"][i]) for i in run.trace.where(kind) if node is None or codes[rows["node"][i]] == node]


# Random schedules

@pytest.mark.parametrize("plane, first", BLOCKS)
def test_nothing_acknowledged_is_lost_and_every_image_is_sound(plane, first, watch):
    """1,000 schedules: acks=all, min_insync=2; at most one log of decisions, in which a fenced broker leads nothing."""
    failed_over = 0
    for seed in range(first, first + BLOCK):
        watch.begin()
        run = control_schedules.run(seed, plane)
        assert not run.report.broken, f"seed {seed}: {run.report}\n{[str(fault) for fault in run.faults]}"
        assert watch.broken == [], f"seed {seed}"
        assert run.history.drained, f"seed {seed} did not come to rest in {run.seconds} s"
        failed_over += len(run.trace.where("active")) > 1
    assert failed_over > BLOCK / 15, "controllers must fail over, or nothing was tested"


@pytest.mark.parametrize("plane", control_schedules.PLANES)
@pytest.mark.parametrize("seed", range(6))
def test_the_invariants_of_kafka_s_own_simulation_hold_after_every_event(plane, seed):
    world, seen = World(seed, trace=False), Seen()
    workload = Workload(rate=20, record_bytes=500, keys=20, seconds=3, consumers=1)
    system = control_schedules.cluster(plane).build(world, workload)
    for fault in control_schedules.schedule(1000 + seed, plane):
        fault.schedule(world)
    while world.env.peek() <= 8:
        world.env.step()
        assert broken(system.controller.group, seen) == []
    assert len(seen.committed) > 1


def test_a_controller_that_leaves_a_fenced_broker_in_office_is_found_out(watch, monkeypatch):
    monkeypatch.setattr(ActiveController, "without_broker", lambda *_: [])
    control_schedules.run(0, troubles=[faults.crash("broker-1", at=1, lasts=3)])
    assert any("fenced broker 0 leads" in sentence for sentence in watch.broken)
    assert any("is in sync" in sentence for sentence in watch.broken)


# One failure at a time

def test_the_quorum_fails_over_and_nobody_but_a_leader_s_successor_waits_for_it():
    run = simulate(THREE, STEADY, faults=[faults.crash("controller-1", at=10, lasts=20)], seed=7)
    first, second = times(run, "active")
    assert first < 0.1 and 10 + 2.0 - 0.5 < second < 10 + 2.0 + 2.0 + 0.1
    assert run.report.ok and run.latency.seconds.max() < 0.1, "producers do not need a controller"
    assert len(run.trace.where("fenced")) == 0


def test_a_leader_that_dies_with_the_controller_is_missed_later():
    """The new controller gives every broker a whole session from when it takes office (BrokerHeartbeatManager)."""
    alone = simulate(THREE, STEADY, faults=[faults.crash("broker-1", at=10, lasts=20)], seed=7)
    both = simulate(THREE, STEADY, faults=[faults.crash("broker-1", at=10, lasts=20),
                                           faults.crash("controller-1", at=10, lasts=20)], seed=7)
    silent, = times(alone, "fenced")
    in_office, fenced = times(both, "active")[1], times(both, "fenced")[0]
    assert 7 < silent - 10 <= 9.01 < fenced - 10
    assert fenced - in_office == pytest.approx(9, abs=0.1)
    assert alone.report.ok and both.report.ok


def test_without_a_majority_nothing_is_decided_until_it_is_back():
    run = simulate(THREE, STEADY, faults=[faults.crash("controller-1", at=5, lasts=25),
                                          faults.crash("controller-2", at=5, lasts=15),
                                          faults.crash("broker-1", at=6, lasts=30)], seed=7)
    assert run.report.ok
    assert len(times(run, "active")) == 2 and 20 < times(run, "active")[1] < times(run, "fenced")[0]


def test_in_a_combined_node_one_crash_takes_leader_and_controller():
    combined = kafka.Cluster(partitions=1, control=kafka.KRaft(combined=True))
    run = simulate(combined, STEADY, faults=[faults.crash("broker-1", at=10, lasts=20)], seed=7)
    assert run.report.ok and not [info for info in run.trace.nodes if info.role == "controller"]
    assert times(run, "fenced")[0] - 10 > 9 + 1


def test_of_two_active_controllers_one_decides():
    """The old one is cut off with a leader and the producer; both decide who is in sync, one of them for others."""
    side = ["controller-1", "broker-1"]
    cut = faults.partition(side, ["controller-2", "controller-3", "broker-2", "broker-3"], at=5, lasts=20)
    system = kafka.Cluster(partitions=1, control=kafka.KRaft(), broker_session_timeout=2.5,
                           broker_heartbeat_interval=0.5)
    run = simulate(system, STEADY, faults=[cut], seed=7)
    names = [info.name for info in run.trace.nodes]
    rows = run.trace.events.rows
    fences = {(names[rows["node"][i]], names[rows["peer"][i]]) for i in run.trace.where("fenced")}
    assert fences == {("controller-1", "broker-2"), ("controller-1", "broker-3"), (decider(run), "broker-1")}
    gone = [i for i in run.trace.where("truncate", key="__cluster_metadata")]
    assert [names[rows["node"][i]] for i in gone] == ["controller-1", "broker-1"][:len(gone)] and gone
    assert run.report.ok


def decider(run) -> str:
    """The node that was the last to become the active controller."""
    return run.trace.nodes[run.trace.events.rows["node"][run.trace.where("active")[-1]]].name


def test_a_fenced_broker_leads_nothing_and_comes_back():
    run = simulate(THREE, STEADY, faults=[faults.pause("broker-1", at=10, lasts=14)], seed=7)
    fenced, unfenced = times(run, "fenced")[0], times(run, "unfenced")[0]
    assert 10 + 7 < fenced < 10 + 9.1 and 24 < unfenced < 26.1
    leads = [time for time in times(run, "elected", "broker-1") if time > fenced]
    assert leads == [] and run.report.ok
    assert run.history.drained


@pytest.mark.parametrize("fault", [faults.crash("broker-1", at=10, lasts=1),
                                   faults.power_loss("broker-1", at=10, lasts=1)], ids=str)
def test_a_restarted_broker_is_refused_until_its_last_life_is_over_and_leads_nothing_meanwhile(fault):
    """Its log says that it leads, in the epoch of its last life, of which it may have lost the records."""
    run = simulate(THREE, STEADY, faults=[fault], seed=7)
    fenced, unfenced = times(run, "fenced")[0], times(run, "unfenced")[0]
    assert 17 < fenced < unfenced < fenced + 2.1 and run.report.ok
    assert times(run, "elected", "broker-1") == [0.0]


def alter(system, isr, leader_epoch=0, lives=None) -> int:
    """How many refusals a leader's request for other in-sync replicas brings, in the first broker's partition."""
    office = system.controller.active
    asked = office.partitions[0]._replace(leader_epoch=leader_epoch)
    message = AlterPartition(0, asked, isr, tuple(lives or [0] * len(isr)), system.brokers[0].leading[0])
    before = len(system.world.trace.where("alter_partition_refused"))
    office.on_alter_partition(message, -1)
    return len(system.world.trace.where("alter_partition_refused")) - before


def test_a_leader_is_refused_only_if_what_it_asked_was_never_done():
    """Who speaks of an old state gets no answer.

    The change may have been made, and the leader must count both sets until it knows.
    """
    world = World(1)
    system = THREE.build(world, Workload(rate=1, seconds=5))
    world.run(1.0)
    assert alter(system, (0, 1), leader_epoch=-1) == 0 and system.controller.active.partitions[0].isr == (0, 1, 2)
    # a follower fetched in another life than the one that is registered (KIP-903)
    assert alter(system, (0, 1), lives=(0, 1)) == 1
    assert alter(system, (0, 7)) == 1 and alter(system, (0, 1)) == 0
    decided, committed = system.controller.active.partitions[0].isr, system.controller.partitions[0].isr
    assert decided == (0, 1) != committed
    world.run(1.1)
    assert system.controller.partitions[0].isr == (0, 1)


def test_a_broker_follows_the_quorum_to_its_new_leader_within_a_second():
    world = World(1)
    system = THREE.build(world, Workload(rate=1, seconds=5))
    faults.crash("controller-1", at=2).schedule(world)
    world.run(10, quiet=lambda: world.now > 2 and system.controller.active is not None, check_every=0.01)
    world.run(world.now + 1)
    active = system.controller.active.member.name
    assert active != "controller-1"
    assert {system.controller.group.members[broker.node.name].leader for broker in system.brokers} == {active}


def test_zookeeper_fails_over_when_its_session_ends():
    old = kafka.Cluster(partitions=1, control=kafka.ZooKeeper(load=0.5), replication_protocol="kip-320")
    run = simulate(old, Workload(rate=100, seconds=60, keys=50),
                   faults=[faults.crash("broker-1", at=10, lasts=30)], seed=7)
    ended, loading, active = (times(run, kind)[0] for kind in ("session_ended", "loading", "active"))
    assert 10 + 12 <= ended <= 10 + 18.1 and loading - ended < 0.01 and active - loading == pytest.approx(0.5)
    assert times(run, "elected")[-1] > active and run.report.ok


@pytest.mark.parametrize("first", [0, 50])
def test_zookeeper_loses_nothing_either(first):
    system = control_schedules.cluster(control=kafka.ZooKeeper(session_timeout=1.5, load=0.05),
                                       replication_protocol="kip-320")
    changed = 0
    for seed in range(first, first + 50):
        run = simulate(system, Workload(rate=20, record_bytes=500, keys=20, seconds=5, consumers=1),
                       faults=control_schedules.schedule(seed, "combined"), seed=seed, settle=40)
        told = f"seed {seed}: {run.report}\n{[str(fault) for fault in run.faults]}"
        assert not run.report.broken and run.history.drained, told
        changed += len(run.trace.where("active")) > 0
    assert changed > 10


# What is refused

@pytest.mark.parametrize("settings, words", [
    (dict(control=kafka.KRaft(voters=5, combined=True)), "voters: 5 .* at most the number of brokers, which is 3"),
    (dict(control=kafka.ZooKeeper()), "replication_protocol: 'kip-966' .* KIP-966 came with KRaft")])
def test_what_does_not_fit_together_is_refused_in_one_sentence(settings, words):
    with pytest.raises(ValueError, match=words) as refusal:
        kafka.Cluster(**settings)
    assert "\n" not in str(refusal.value)
