"""The checks of the bill between zones accept what is right and reject each classic mistake for its own reason."""
import copy
import random
from dataclasses import replace

import pytest
from exercises.grader.release import learners
from exercises.inter_zone_bill import AWS, EXAMPLE, MISLED, MISREAD, TARIFFS, Plan, check, laid, perform, picture, rules
from exercises.inter_zone_bill.count import cheapest, crossing, least, survives, total
from exercises.inter_zone_bill.laid import Aftermath
from exercises.inter_zone_bill.questions import misled, misread, rest, some_topology
from exercises.inter_zone_bill.topology import Topology
from graded import Graded, answers, reference, source, submission, with_first_attempts
from graded import pytest_generate_tests  # noqa: F401

FUNCTIONS = ("crossings", "dollars", "read_nearer", "lead_nearer", "least")
REFERENCE = reference("inter_zone_bill", FUNCTIONS)
FOLLOWING = submission("inter_zone_bill", "mutants", "follows_the_producers")["lead_nearer"]


class TestInterZoneBill(Graded):
    exercise, functions, check = "inter_zone_bill", FUNCTIONS, check
    struck = (("read", "crash", set()),)
    secrets = ("carry(", "emptiest", "2 + far")

    def test_a_fault_at_every_step_of_the_calm_run(self):
        """For a repair a step is a zone: each is lost once, and the topology is asked for again."""
        calm, *runs = self.campaign("lead").runs
        assert [rules.zone_lost(run) for run in (calm, *runs)] == [[], ["a"], ["b"], ["c"], ["d"]]

    def test_a_failure_is_shown_in_a_form_that_no_smaller_attack_has(self):
        """There is no storm; it is the topology of a wrong count that is made small."""
        given = {"crossings": submission(self.exercise, "mutants", "one_group")["crossings"]}
        found = check.attack("crossings", given, (11,)).runs[-1]
        small = check.plan_of(check.shrunk("crossings", given, found))
        assert len(small.topology.partitions) == 1 and len(small.topology.brokers) == 3
        assert len(small.topology.consumers) == 2 < len(found.plan["topology"]["consumers"])
        for smaller in check.fewer(small):
            assert check.finding("crossings", perform(smaller, given)) is None


# The judge's count against the simulator's meters, and against what can be said without counting.

@pytest.mark.parametrize("seed", range(6))
def test_the_count_and_the_meters_agree_for_any_topology(seed):
    topology = some_topology(random.Random(seed), "abcd"[:3 + seed % 2], seed % 3 == 0, "e" * (seed % 2))
    metered = laid.metered(topology)
    assert {way: round(rate, 1) for way, rate in metered.kinds.items()} == pytest.approx(crossing(topology), abs=0.1)
    assert total(topology) < metered.total < 1.01 * total(topology) + 0.2


def test_the_example_crosses_four_times_for_each_byte_and_a_third_less_if_read_nearby():
    assert (total(EXAMPLE), total(replace(EXAMPLE, nearest=True)), least(EXAMPLE)) == (120, 80, 60)
    assert [round(tariff.month(crossing(EXAMPLE))) for tariff in TARIFFS] == [6307, 3154, 3154, 0]


def test_a_second_replica_in_a_zone_costs_less_and_does_not_survive():
    assert survives(tuple("abc")) and not survives(tuple("aab")) and survives(tuple("aabb"))
    rate, brokers = cheapest(EXAMPLE, "orders-1")
    assert rate == 20 and brokers[0] == "broker-1"


@pytest.mark.parametrize("seed", range(30, 60))
def test_what_is_to_be_halved_can_be_halved_and_not_by_a_flag(seed):
    far, led = misread(random.Random(seed)), misled(random.Random(seed))
    assert rest(far) < 0.44 * total(far) and total(replace(far, nearest=True)) > 0.56 * total(far)
    assert total(REFERENCE["lead_nearer"](led)) < 0.49 * total(led) and total(FOLLOWING(led)) > 0.52 * total(led)
    for topology in (far, led):
        assert all(survives(tuple(topology.brokers[each] for each in held)) for held in topology.partitions.values())


# A lost zone in the simulator.

def test_a_lost_zone_takes_what_it_held_alone_and_stops_what_it_held_twice():
    brokers = dict(EXAMPLE.brokers) | {"broker-4": "a", "broker-5": "a"}
    partitions = {"orders-1": ("broker-1", "broker-4", "broker-5"), "orders-2": ("broker-1", "broker-2", "broker-4"),
                  "orders-3": ("broker-3", "broker-1", "broker-2")}
    topology = replace(EXAMPLE, brokers=brokers, partitions=partitions)
    after = laid.without(topology, "a")
    assert set(after.lost) == {"orders-1"} and set(after.refused) == {"orders-1", "orders-2"}
    for nearest in (False, True):
        assert laid.without(replace(topology, nearest=nearest), "b") == Aftermath({}, {}, {})


# Near misses: evidence just inside a rule, then just outside.

def run_of(program, topology, tariff=None, crashes=(), answer=lambda answer: answer):
    run = copy.deepcopy(perform(Plan(program, topology, tariff, crashes), REFERENCE))
    run.answer = answer(run.answer)
    return run


def with_rate(factor, kind="consume"):
    return lambda rows: [[*way, rate * factor if way[0] == kind else rate] for *way, rate in rows]


def turned(rows):
    return [[kind, target, source, rate] for kind, source, target, rate in rows]


ONE_WAY = replace(EXAMPLE, partitions={name: ("broker-3", "broker-1", "broker-2") for name in EXAMPLE.partitions})


@pytest.mark.parametrize("rule, topology, holds, broken", [
    (rules.no_crossings, EXAMPLE, lambda rows: [], lambda rows: [["fetch", "a", "b", 1.0]]),
    (rules.inside, EXAMPLE, lambda rows: rows, lambda rows: [*rows, ["consume", "a", "a", 10.0]]),
    (rules.mirrored, ONE_WAY, lambda rows: rows, turned),
    (rules.miscounted, EXAMPLE, with_rate(1.0005), with_rate(1.01)),
    (rules.mismeasured, EXAMPLE, with_rate(1.01), with_rate(1.05)),
])
def test_rules_of_the_count_and_their_near_misses(rule, topology, holds, broken):
    assert list(rule(run_of("crossings", topology, answer=holds))) == []
    assert list(rule(run_of("crossings", topology, answer=broken)))


@pytest.mark.parametrize("rule, program, tariff, holds, broken", [
    (rules.mischarged, "dollars", AWS, lambda bill: bill * 1.001, lambda bill: bill * 1.01),
    (rules.no_number, "least", None, lambda rate: rate, str),
    (rules.impossible, "least", None, lambda rate: rate + 1, lambda rate: rate - 1),
    (rules.wasteful, "least", None, lambda rate: rate - 1, lambda rate: rate + 1),
])
def test_rules_of_numbers_and_their_near_misses(rule, program, tariff, holds, broken):
    assert list(rule(run_of(program, EXAMPLE, tariff, answer=holds))) == []
    assert len(list(rule(run_of(program, EXAMPLE, tariff, answer=broken)))) == 1


def edited(**changes):
    return lambda plain: {name: changes[name](value) if name in changes else value for name, value in plain.items()}


@pytest.mark.parametrize("rule, program, change", [
    (rules.no_topology, "read_nearer", edited(partitions=lambda held: held | {"orders-1": ["broker-1", "broker-9"]})),
    (rules.no_topology, "read_nearer", lambda plain: "a topology"),
    (rules.touched, "read_nearer", edited(brokers=lambda brokers: brokers | {"broker-1": "b"})),
    (rules.touched, "lead_nearer", edited(nearest=lambda nearest: True)),
    (rules.unread, "read_nearer", edited(consumers=lambda consumers: [consumers[0] | {"reads": []}, *consumers[1:]])),
    (rules.thinner, "lead_nearer", edited(partitions=lambda held: held | {"orders-1": ["broker-1"]})),
    (rules.too_dear, "read_nearer", lambda plain: plain),  # two groups: a third is saved, and that is not half
])
def test_rules_of_repairs_and_their_near_misses(rule, program, change):
    assert list(rule(run_of(program, EXAMPLE))) == [] or rule is rules.too_dear
    assert list(rule(run_of(program, EXAMPLE, answer=change)))


@pytest.mark.parametrize("rule, after", [
    (rules.lost, Aftermath({}, {"orders-1": 1}, {})), (rules.refusing, Aftermath({"orders-1": 1}, {}, {})),
    (rules.unreachable, Aftermath({}, {}, {("billing-1", "orders-1"): 1}))])
def test_rules_of_a_lost_zone_and_their_near_misses(rule, after, monkeypatch):
    run = run_of("lead_nearer", EXAMPLE, crashes=(1,))
    assert list(rule(run)) == []
    monkeypatch.setattr(laid, "without", lambda topology, zone: after)
    assert len(list(rule(run))) == 1
    assert list(rule(run_of("lead_nearer", EXAMPLE))) == []  # nobody lost a zone


@pytest.mark.parametrize("answer", [None, 7, "much", {"a": 1}, {("produce", "a"): 1}, {("produce", "a", "b"): "3"},
                                    [1, 2], {("produce", "a", "b"): float("nan")}])
def test_odd_answers_are_wrong_and_stop_nobody(answer):
    for name in check.CHECKS:
        given = {each: lambda *_: answer for each in check.CHECKS[name].functions}
        assert check.verdict(name, check.attack(name, given, (1,)).runs).outcome == "wrong"


def test_a_topology_survives_its_record_and_the_same_question_has_the_same_answer():
    topology = some_topology(random.Random(1), "abc")
    assert Topology.of(topology.plain()) == topology
    plan = Plan("lead_nearer", misled(random.Random(1)), crashes=(2,))
    assert perform(plan, REFERENCE) == perform(plan, REFERENCE) and check.plan_of(perform(plan, REFERENCE)) == plan


def test_the_picture_shows_what_the_first_count_forgets(capsys):
    given = with_first_attempts("inter_zone_bill")
    assert picture.ways(EXAMPLE, given["naive"]) is not None and picture.ways(EXAMPLE, given["crossings"]) is not None
    said = capsys.readouterr().out
    assert "naive says that 60 MB/s change zone; by the meters it is 120" in said
    assert "crossings says that 120 MB/s change zone; by the meters it is 120" in said


def test_the_pictures_of_repairs_say_what_is_left_and_what_a_lost_zone_takes(capsys):
    wrong = submission("inter_zone_bill", "mutants", "replaces_the_leader")["lead_nearer"]
    for repair, refused in ((wrong, "12 records are refused"), (REFERENCE["lead_nearer"], "no records are refused")):
        assert picture.lost(MISLED, repair, "a") is not None
        assert refused in capsys.readouterr().out
    assert picture.halves(MISREAD, REFERENCE["read_nearer"]) is not None
    assert "leaves 35% of 400 MB/s" in capsys.readouterr().out
    picture.bills(EXAMPLE, REFERENCE["dollars"])
    assert "AWS        6,307.20 dollars a month\nMSK        3,153.60" in capsys.readouterr().out
    assert picture.halves(MISREAD, answers(learners(source("inter_zone_bill")))["read_nearer"]) is None
