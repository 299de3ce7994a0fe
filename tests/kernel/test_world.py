"""Virtual time: what happens when, and when a run is over."""
import pytest

from simulator.kernel.distributions import Exponential
from simulator.kernel.world import World


def test_calls_happen_in_the_order_of_their_times_and_of_their_making():
    world, seen = World(), []
    for delay, what in ((2.0, "c"), (1.0, "a"), (2.0, "d"), (1.0, "b")):
        world.after(delay, lambda what=what: seen.append((world.now, what)))
    world.run(until=10)
    assert seen == [(1.0, "a"), (1.0, "b"), (2.0, "c"), (2.0, "d")]


def test_a_call_may_make_others():
    world, seen = World(), []

    def tick(left):
        seen.append(world.now)
        if left:
            world.after(0.5, tick, left - 1)
    world.after(1.0, tick, 2)
    assert world.run(until=10) == 10 and seen == [1.0, 1.5, 2.0]


def test_calls_at_one_exact_time_are_made_in_the_order_of_their_making():
    """`now + (time - now)` is not always `time`: a delay computed from it would let the second overtake the first."""
    world, seen = World(), []
    for number in range(1000):
        world.at(number / 997, lambda number=number: world.at(3.3, seen.append, (number,)))
    world.run(until=5)
    assert seen == list(range(1000))


def test_a_cancelled_call_is_not_made():
    world, seen = World(), []
    call = world.after(1.0, seen.append, "cancelled")
    world.after(1.0, seen.append, "made")
    call.cancel()
    world.run(until=10)
    assert seen == ["made"]


def test_a_process_waits_for_timeouts():
    world, seen = World(), []

    def process():
        yield world.timeout(1.5)
        seen.append(world.now)
    world.process(process())
    world.run(until=10)
    assert seen == [1.5]


def test_what_is_due_later_waits_for_the_next_run():
    world, seen = World(), []
    world.after(5.0, seen.append, "late")
    assert world.run(until=4) == 4 and seen == []
    assert world.run(until=6) == 6 and seen == ["late"]


def test_a_run_ends_at_the_first_look_at_which_all_is_quiet():
    world, left = World(), [3]

    def work():
        left[0] -= 1
        if left[0]:
            world.after(1.0, work)
    world.after(0.25, work)
    assert world.run(until=100, quiet=lambda: left[0] == 0, check_every=1.0) == 3.0
    assert world.run(until=100, quiet=lambda: True) == 3.0, "a quiet world does not move"


def test_a_world_that_is_never_quiet_ends_on_time():
    assert World().run(until=2.5, quiet=lambda: False) == 2.5


def test_two_nodes_cannot_have_one_name():
    world = World()
    world.node("broker-1", "broker")
    with pytest.raises(ValueError, match="^node: 'broker-1' exists already$"):
        world.node("broker-1", "consumer")


def test_samplers_are_named_and_seeded():
    def first(seed, name):
        return World(seed).sampler(name, Exponential(1.0))()
    assert first(7, "a") == first(7, "a")
    assert first(7, "a") != first(7, "b") and first(7, "a") != first(8, "a")


def test_without_a_trace_nothing_is_recorded():
    world = World(trace=False)
    world.node("a", "broker").crash()
    assert len(world.trace) == 0
