"""Links, bandwidth, rules and bytes: what arrives, when, and what does not."""
import pytest

from simulator.kernel.distributions import Exponential
from simulator.kernel.network import NetworkProfile, Rule
from simulator.kernel.world import World


def only(*names):
    return frozenset(names)


def kinds(place, event):
    """The shapes of the events that this event caused."""
    trace = place.world.trace
    return [trace.kinds[code].shape for code in trace.events.rows["kind"][trace.events.rows["cause"] == event]]


# Latency, order, bandwidth, bytes

def test_latency_depends_on_the_zones(make_place):
    place = make_place("a", "near", "far@b", latency=0.1, cross=0.5)
    place.send("a", "near", "hello")
    place.send("a", "far", "hello")
    place.world.run(until=5)
    assert place.heard["near"] == [(0.1, "hello")] and place.heard["far"] == [(0.5, "hello")]


def test_messages_of_one_link_arrive_in_order_however_unlucky_their_latencies(make_place):
    place = make_place("a", "b", latency=Exponential(1.0))
    for number in range(500):
        place.at(number * 0.01, place.send, "a", "b", number)
    place.world.run(until=100)
    times = [time for time, _ in place.heard["b"]]
    assert place.texts("b") == list(range(500)) and times == sorted(times)
    assert len(set(times)) < 500, "a slow message holds up those behind it"


def test_a_slow_message_holds_up_no_other_link(make_place):
    place = make_place("a", "b", "c", latency=Exponential(1.0))
    for number in range(100):
        place.send("a", "b", number)
        place.send("a", "c", number)
    place.world.run(until=100)
    assert place.heard["b"] != place.heard["c"]


def test_messages_take_turns_on_the_senders_card_whoever_they_are_for(make_place):
    place = make_place("a", "b", "c", bandwidth=1000)
    place.send("a", "b", "first", 1000)
    place.send("a", "c", "second", 500)
    place.send("b", "c", "from another card", 500)
    place.world.run(until=5)
    assert place.heard["b"] == [(1.1, "first")]
    assert place.heard["c"] == [(0.6, "from another card"), (1.6, "second")]


def test_a_card_that_was_idle_owes_nothing(make_place):
    place = make_place("a", "b", bandwidth=1000)
    place.send("a", "b", "first", 1000)
    place.at(3.0, place.send, "a", "b", "second", 1000)
    place.world.run(until=9)
    assert place.heard["b"] == [(1.1, "first"), (4.1, "second")]


def test_bytes_are_counted_by_zone_pair_once(make_place):
    place = make_place("a@x", "b@x", "c@y")
    for source, target, size in (("a", "b", 10), ("a", "c", 200), ("b", "c", 3000), ("c", "a", 40_000)):
        place.send(source, target, "bytes", size)
    place.world.network.count_bytes()
    place.world.network.count_bytes()
    assert place.world.meters.traffic == {("x", "x"): 10, ("x", "y"): 3200, ("y", "x"): 40_000}
    assert place.world.meters.cross_zone_bytes() == sum(place.world.meters.crossings.values()) == 43_200


def test_each_link_has_a_stream_of_its_own(make_place):
    def arrivals(*names):
        place = make_place(*names, latency=Exponential(1.0))
        for other in names[2:]:
            place.send("a", other, "unrelated")
        place.send("a", "b", "hello")
        place.world.run(until=100)
        return place.heard["b"]
    assert arrivals("a", "b") == arrivals("a", "b", "c", "d")


def test_the_trace_ties_an_arrival_to_its_sending(make_place):
    place = make_place("a", "b")
    event = place.send("a", "b", "hello")
    place.world.run(until=5)
    assert kinds(place, event) == ["receive"]


# The dead do not answer

def test_a_message_to_a_dead_process_is_refused_by_its_machine(make_place):
    place = make_place("a", "b")
    place.nodes["b"].crash()
    event = place.send("a", "b", "hello")
    place.world.run(until=5)
    assert place.heard["b"] == [] and kinds(place, event) == ["drop"]
    assert place.resets["a"] == [(0.2, "b")], "there and back"


def test_a_message_to_a_machine_without_power_is_never_answered(make_place):
    place = make_place("a", "b")
    place.nodes["b"].lose_power()
    event = place.send("a", "b", "hello")
    place.world.run(until=5)
    assert place.heard["b"] == [] and kinds(place, event) == ["drop"] and place.resets["a"] == []


def test_a_message_for_the_last_life_of_a_process_is_not_for_this_one(make_place):
    place = make_place("a", "b")
    place.send("a", "b", "hello")
    place.nodes["b"].crash()
    place.nodes["b"].restart()
    place.send("a", "b", "hello again")
    place.world.run(until=5)
    assert place.texts("b") == ["hello again"]


def test_what_was_sent_arrives_even_if_the_sender_dies(make_place):
    place = make_place("a", "b")
    place.send("a", "b", "last words")
    place.nodes["a"].crash()
    place.world.run(until=5)
    assert place.texts("b") == ["last words"]


def test_a_paused_process_hears_when_it_goes_on(make_place):
    place = make_place("a", "b")
    place.nodes["b"].pause()
    for text in ("one", "two"):
        place.send("a", "b", text)
    place.at(3.0, place.nodes["b"].resume)
    place.world.run(until=5)
    assert place.heard["b"] == [(3.0, "one"), (3.0, "two")]


# Rules

def test_a_delay_comes_on_top_of_the_latency(make_place):
    place = make_place("a", "b")
    place.world.network.add_rules([Rule("delay", delay=2.0)])
    place.send("a", "b", "hello")
    place.world.run(until=5)
    assert place.heard["b"] == [(2.1, "hello")]


def test_what_is_dropped_is_lost_for_good(make_place):
    place = make_place("a", "b")
    rule = Rule("drop", only("a"), only("b"))
    place.world.network.add_rules([rule])
    event = place.send("a", "b", "lost")
    place.send("b", "a", "passes")
    place.at(1.0, place.world.network.remove_rules, [rule])
    place.at(2.0, place.send, "a", "b", "later")
    place.world.run(until=5)
    assert place.texts("b") == ["later"] and place.texts("a") == ["passes"] and kinds(place, event) == ["drop"]


def test_what_is_held_arrives_in_order_when_the_network_heals(make_place):
    place = make_place("a", "b", latency=Exponential(0.5))
    rule = Rule("hold", only("a"))
    place.world.network.add_rules([rule])
    for number in range(20):
        place.at(number * 0.1, place.send, "a", "b", number)
    place.at(5.0, place.world.network.remove_rules, [rule])
    place.at(5.0, place.send, "a", "b", 20)
    place.world.run(until=50)
    assert place.texts("b") == list(range(21)) and place.heard["b"][0][0] > 5.0


def test_the_first_rule_that_matches_decides(make_place):
    place = make_place("a", "b", "c")
    place.world.network.add_rules([Rule("pass", only("a"), only("b")), Rule("drop", only("a")),
                                   Rule("delay", None, None, 9.0)])
    for target in ("b", "c"):
        place.send("a", target, "hello")
    place.world.run(until=5)
    assert place.heard["b"] == [(0.1, "hello")] and place.heard["c"] == []


def test_a_rule_ends_alone_and_another_may_still_hold(make_place):
    place = make_place("a", "b")
    first, second = Rule("hold", only("a")), Rule("hold", only("a"))
    place.world.network.add_rules([first, second])
    place.send("a", "b", "hello")
    place.at(1.0, place.world.network.remove_rules, [first])
    place.at(3.0, place.world.network.remove_rules, [second])
    place.world.run(until=5)
    assert place.heard["b"] == [(3.1, "hello")]


def test_what_was_held_meets_the_rules_that_are_still_in_force(make_place):
    place = make_place("a", "b")
    hold, delay = Rule("hold", only("a")), Rule("delay", only("a"), None, 2.0)
    place.world.network.add_rules([hold, delay])
    place.send("a", "b", "hello")
    place.at(1.0, place.world.network.remove_rules, [hold])
    place.world.run(until=5)
    assert place.heard["b"] == [(3.1, "hello")]


def test_a_one_way_partition_cuts_one_way(make_place):
    place = make_place("a", "b")
    place.world.network.add_rules([Rule("hold", only("a"), only("b"))])
    place.send("a", "b", "unheard")
    place.send("b", "a", "heard")
    place.world.run(until=5)
    assert place.heard["b"] == [] and place.heard["a"] == [(0.1, "heard")]


@pytest.mark.parametrize("rule, told_at", [
    (Rule("hold", only("b"), only("a")), []), (Rule("drop", only("b"), only("a")), []),
    (Rule("hold", only("a"), only("b")), [(1.1, "b")]), (Rule("pass"), [(1.1, "b")]),
    (Rule("delay", delay=2.0), [(3.1, "b")]),
], ids=lambda value: f"{value.action} {sorted(value.sources or ())}" if isinstance(value, Rule) else "")
def test_the_news_of_a_crash_travels_as_far_as_the_network_lets_it(make_place, rule, told_at):
    place = make_place("a", "b")
    place.send("a", "b", "hello")
    place.at(0.5, place.world.network.add_rules, [rule])
    place.at(1.0, place.nodes["b"].crash)
    place.world.run(until=9)
    assert place.resets["a"] == told_at


def test_what_was_held_for_a_process_that_died_meanwhile_is_refused(make_place):
    place = make_place("a", "b")
    rule = Rule("hold")
    place.world.network.add_rules([rule])
    place.send("a", "b", "hello")
    place.at(1.0, place.nodes["b"].crash)
    place.at(2.0, place.nodes["b"].restart)
    place.at(3.0, place.world.network.remove_rules, [rule])
    place.world.run(until=9)
    assert place.heard["b"] == [] and place.resets["a"] == [(3.2, "b")]


# Profiles

def test_an_instant_network_takes_no_time():
    world = World(network=NetworkProfile.instant())
    a, b, times = world.node("a", "broker"), world.node("b", "broker", "b"), []
    world.network.link(a, b).send(0, lambda *_: times.append(world.now), "hello", 10 ** 9)
    world.run(until=1)
    assert times == [0.0]


@pytest.mark.parametrize("field, value",
                         [("bandwidth", 0), ("bandwidth", -1.0), ("bandwidth", float("nan")),
                          ("bandwidth", "10 Gbit/s"),
                                          ("same_zone", -0.1), ("cross_zone", "1 ms")])
def test_an_impossible_network_is_refused(field, value):
    with pytest.raises(ValueError, match=rf"^{field}: {value!r} is not .+"):
        NetworkProfile(**{field: value})
