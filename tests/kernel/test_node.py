"""Machines with one process: crash, power loss, pause, and the lives in between."""
import pytest

from simulator.kernel.world import World


@pytest.fixture
def node():
    return World().node("a", "broker")


def later(node, delay, seen, what):
    node.after(delay, lambda: seen.append((node.world.now, what)))


def test_calls_of_an_old_life_are_never_made(node):
    seen, world = [], node.world
    later(node, 3.0, seen, "old")
    world.after(1.0, node.crash)
    world.after(2.0, node.restart)
    world.after(2.0, later, node, 1.0, seen, "new")
    world.run(until=10)
    assert seen == [(3.0, "new")]


def test_a_dead_process_does_nothing_it_was_about_to_do(node):
    seen = []
    later(node, 3.0, seen, "too late")
    node.world.after(1.0, node.crash)
    node.world.run(until=10)
    assert seen == []


@pytest.mark.parametrize("end, begin, power_lost", [("crash", "restart", False), ("lose_power", "restore_power", True)])
def test_hooks_tell_how_the_process_ended_and_that_it_began_again(node, end, begin, power_lost):
    seen = []
    node.on_crash, node.on_start = seen.append, lambda: seen.append("started")
    getattr(node, end)()
    getattr(node, begin)()
    assert seen == [power_lost, "started"] and node.up and node.powered and node.incarnation == 1


def test_what_has_ended_cannot_end_again_and_what_runs_cannot_start(node):
    seen = []
    node.on_crash, node.on_start = seen.append, lambda: seen.append("started")
    node.restart()
    node.crash()
    node.crash()
    assert seen == [False] and node.incarnation == 1


def test_a_power_loss_takes_the_page_cache_of_a_process_that_had_crashed_before(node):
    seen = []
    node.on_crash = seen.append
    node.crash()
    node.lose_power()
    assert seen == [False, True]


def test_a_machine_without_power_starts_nothing(node):
    """A crash that ends while the power is off ends when the power is back."""
    node.crash()
    node.lose_power()
    node.restart()
    assert not node.up
    node.restore_power()
    assert node.up and node.powered


def test_time_stands_still_for_a_paused_node_and_what_was_due_happens_in_order(node):
    seen, world = [], node.world
    for delay, what in ((1.0, "before"), (3.0, "first"), (2.5, "zeroth"), (6.0, "after")):
        later(node, delay, seen, what)
    world.after(2.0, node.pause)
    world.after(5.0, node.resume)
    world.run(until=10)
    assert seen == [(1.0, "before"), (5.0, "zeroth"), (5.0, "first"), (6.0, "after")]


def test_calls_held_by_a_pause_die_with_the_process(node):
    seen, world = [], node.world
    later(node, 2.0, seen, "held")
    for at, what in ((1.0, node.pause), (3.0, node.crash), (4.0, node.restart), (5.0, node.resume)):
        world.after(at, what)
    world.run(until=10)
    assert seen == [] and not node.paused


def test_a_held_call_that_crashes_the_process_is_the_last_one(node):
    seen, world = [], node.world
    node.after(2.0, node.crash)
    later(node, 3.0, seen, "never")
    world.after(1.0, node.pause)
    world.after(4.0, node.resume)
    world.run(until=10)
    assert seen == [] and not node.up


def test_a_held_call_that_pauses_again_holds_the_rest(node):
    seen, world = [], node.world
    node.after(2.0, node.pause)
    later(node, 3.0, seen, "rest")
    for at, what in ((1.0, node.pause), (4.0, node.resume), (6.0, node.resume)):
        world.after(at, what)
    world.run(until=10)
    assert seen == [(6.0, "rest")]


def test_only_running_processes_can_be_paused(node):
    node.crash()
    node.pause()
    assert not node.paused
    node.resume()
    assert not node.up


@pytest.mark.parametrize("end, told_at", [("crash", [(1.1, "a")]), ("lose_power", [])])
def test_peers_are_told_of_a_crash_but_not_of_a_power_loss(make_place, end, told_at):
    place = make_place("a", "friend", "stranger")
    place.send("friend", "a", "hello")
    place.at(1.0, getattr(place.nodes["a"], end))
    place.world.run(until=5)
    assert place.resets["friend"] == told_at
    assert place.resets["stranger"] == [], "who never talked to it has no connection to lose"


def test_peers_learn_of_a_power_loss_when_the_machine_is_back(make_place):
    place = make_place("a", "friend")
    place.send("friend", "a", "hello")
    place.at(1.0, place.nodes["a"].lose_power)
    place.at(4.0, place.nodes["a"].restore_power)
    place.world.run(until=9)
    assert place.resets["friend"] == [(4.1, "a")]


def test_every_change_is_in_the_trace_with_the_fault_as_cause_of_the_recovery(node):
    for change in (node.crash, node.restart, node.pause, node.resume, node.lose_power, node.restore_power):
        change()
    trace = node.world.trace
    kinds = [trace.kinds[code].name for code in trace.events.rows["kind"]]
    assert kinds == ["crash", "restart", "pause", "resume", "power_loss", "restart"]
    assert trace.events.rows["cause"].tolist() == [-1, 0, -1, 2, -1, 4]


@pytest.mark.parametrize("changes, word", [([], "up"), (["pause"], "paused"), (["crash"], "down")])
def test_a_node_says_how_it_is(node, changes, word):
    for change in changes:
        getattr(node, change)()
    assert repr(node) == f"Node(a, broker, zone a, {word})"
