"""Faults as values: what each does, to whom, until when; and what is refused before the run begins."""
from math import inf, nan

import pytest

from simulator.kernel import faults

NODES = ("a", "b", "c")


@pytest.fixture
def place(make_place):
    return make_place(*NODES)


def hears(place, source, target, at):
    """Whether the target hears what the source says at this time within half a second."""
    place.world.run(until=at)
    text = f"{source} at {at}"
    place.send(source, target, text)
    place.world.run(until=at + 0.5)
    return text in place.texts(target)


def pairs(place, at):
    """Who hears whom: a list like "ab" for "b hears a"."""
    return [s + t for i, (s, t) in enumerate((s, t) for s in NODES for t in NODES if s != t)
            if hears(place, s, t, at + i)]


EVERY_PAIR = ["ab", "ac", "ba", "bc", "ca", "cb"]


@pytest.mark.parametrize("fault, left", [
    (faults.isolate("a", at=1, lasts=50), ["bc", "cb"]),
    (faults.isolate("a", "b", at=1, lasts=50), ["ab", "ba"]),
    (faults.partition(["a"], ["b"], at=1, lasts=50), ["ac", "bc", "ca", "cb"]),
    (faults.mute("a", ["b"], at=1, lasts=50), ["ac", "ba", "bc", "ca", "cb"]),
    (faults.drop(["a"], ["b"], at=1, lasts=50), ["ac", "bc", "ca", "cb"]),
    (faults.slow_network("a", extra=3.0, at=1, lasts=50), ["bc", "cb"]),
], ids=str)
def test_who_hears_whom_while_it_lasts_and_everybody_after(place, fault, left):
    fault.schedule(place.world)
    assert hears(place, "a", "b", 0.25), "not before it begins"
    assert pairs(place, 10) == left
    assert pairs(place, 60) == EVERY_PAIR


@pytest.mark.parametrize("fault, arrives",
                         [(faults.partition(["a"], ["b"], at=1, lasts=4), True),
                          (faults.isolate("a", at=1, lasts=4), True),
                                            (faults.mute("a", ["b"], at=1, lasts=4), True),
                          (faults.drop(["a"], ["b"], at=1, lasts=4), False)],
                         ids=str)
def test_tcp_tries_again_unless_the_network_drops_for_good(place, fault, arrives):
    fault.schedule(place.world)
    place.at(2.0, place.send, "a", "b", "hello")
    place.world.run(until=9)
    assert place.heard["b"] == ([(5.1, "hello")] if arrives else [])


@pytest.mark.parametrize("fault, states", [
    (faults.crash("a", at=1, lasts=2), [(True, True, False), (False, True, False), (True, True, False)]),
    (faults.power_loss("a", at=1, lasts=2), [(True, True, False), (False, False, False), (True, True, False)]),
    (faults.pause("a", at=1, lasts=2), [(True, True, False), (True, True, True), (True, True, False)]),
], ids=str)
def test_a_node_fails_and_comes_back(place, fault, states):
    node = place.nodes["a"]
    fault.schedule(place.world)
    for until, state in zip((0.5, 2.0, 4.0), states):
        place.world.run(until=until)
        assert (node.up, node.powered, node.paused) == state


def test_machines_lose_power_together(place):
    faults.power_loss("a", "b", at=1).schedule(place.world)
    place.world.run(until=100)
    assert [place.nodes[name].powered for name in NODES] == [False, False, True]


def test_without_an_end_a_fault_stays(place):
    faults.crash("a", at=1).schedule(place.world)
    place.world.run(until=1e6)
    assert not place.nodes["a"].up and faults.crash("a", at=1).ends == inf


def test_faults_of_the_network_are_in_the_trace_with_their_own_words(place):
    faults.isolate("a", at=1, lasts=2).schedule(place.world)
    place.world.run(until=5)
    trace = place.world.trace
    assert [trace.describe(event) for event in range(len(trace))] == [
        "the network around a fails: isolate a at 1 s for 2 s", "the network around a heals"]


@pytest.mark.parametrize("fault, words", [
    (faults.crash("a", at=20, lasts=15), "crash a at 20 s for 15 s"),
    (faults.power_loss("a", "b", at=3), "power loss a, b at 3 s"),
    (faults.partition(["a"], ["b", "c"], at=0), "partition a from b, c at 0 s")])
def test_a_fault_reads_as_a_sentence(fault, words):
    assert str(fault) == words


# Refusals: one sentence with the field, the value and what is allowed

CONSTRUCTORS = {
    "crash": lambda **t: faults.crash("a", **t), "power_loss": lambda **t: faults.power_loss("a", **t),
    "pause": lambda **t: faults.pause("a", **t), "isolate": lambda **t: faults.isolate("a", **t),
    "partition": lambda **t: faults.partition(["a"], ["b"], **t), "mute": lambda **t: faults.mute("a", ["b"], **t),
    "drop": lambda **t: faults.drop(["a"], ["b"], **t),
    "slow_network": lambda **t: faults.slow_network("a", extra=1.0, **t),
}


def test_every_constructor_is_tried_below():
    made_here = {name for name, thing in vars(faults).items()
                 if callable(thing) and getattr(thing, "__annotations__", {}).get("return") == "Fault"}
    assert made_here == set(CONSTRUCTORS)


@pytest.mark.parametrize("make", CONSTRUCTORS.values(), ids=CONSTRUCTORS)
@pytest.mark.parametrize("field, value", [("at", -1), ("at", inf), ("at", nan), ("at", "noon"), ("at", None),
                                          ("lasts", 0), ("lasts", -1), ("lasts", nan), ("lasts", "long"),
                                          ("lasts", None)])
def test_an_impossible_time_is_refused(make, field, value):
    with pytest.raises(ValueError, match=rf"^{field}: {value!r} is not allowed; it must be [^\n]+$"):
        make(**{"at": 1.0, "lasts": 1.0} | {field: value})


@pytest.mark.parametrize("extra", [-1, nan, inf, "much"])
def test_an_impossible_delay_is_refused(extra):
    with pytest.raises(ValueError, match=rf"^extra: {extra!r} is not allowed; it must be "):
        faults.slow_network("a", extra=extra, at=1)


@pytest.mark.parametrize("name, make", {
    "crash": lambda name: faults.crash(name, at=1), "isolate": lambda name: faults.isolate("a", name, at=1),
    "partition": lambda name: faults.partition(["a"], [name], at=1),
    "mute": lambda name: faults.mute("a", [name], at=1),
}.items(), ids=lambda value: value if isinstance(value, str) else "")
def test_an_unknown_node_is_refused_before_the_run(place, name, make):
    with pytest.raises(ValueError, match="^node: 'broker-9' does not exist; this system has a, b, c$"):
        make("broker-9").schedule(place.world)


@pytest.mark.parametrize("make", [lambda: faults.power_loss(at=1), lambda: faults.isolate(at=1),
                                  lambda: faults.slow_network(at=1, extra=1), lambda: faults.partition([], ["a"], at=1),
                                  lambda: faults.drop([], [], at=1)])
def test_a_fault_that_concerns_nobody_is_refused(make):
    with pytest.raises(ValueError, match="^nodes: "):
        make()


def test_an_unknown_kind_of_fault_is_refused():
    with pytest.raises(ValueError, match="^kind: 'meteor' is not "):
        faults.Fault("meteor", ("a",), at=1)


def test_a_group_cut_off_from_itself_is_refused():
    with pytest.raises(ValueError, match="^others: "):
        faults.partition(["a", "b"], ["b", "c"], at=1)
