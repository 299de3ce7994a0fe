"""The checks of the outbox exercise accept what is right and reject each classic mistake for its own reason."""
import copy

import pytest
from exercises.attack import Replayed
from exercises.outbox import Order, Plan, check, judge, perform, rules
from graded import STORMS, Graded, chosen, pytest_generate_tests, reference, submission, verdict  # noqa: F401

FUNCTIONS = ("place_order", "relay_once", "handle")
REFERENCE = reference("outbox", FUNCTIONS)


class TestOutbox(Graded):
    exercise, functions, check = "outbox", FUNCTIONS, check
    struck = (("atomic", "crash", {"INSERT orders", "INSERT outbox", "COMMIT"}),
              ("relay", "crash", {"publish", "confirm", "UPDATE outbox", "COMMIT"}),)
    shrunk = (("ox19_inbox_apart", "pipeline"),)
    # Two ways to invert a customer's events look the same from outside; one needs a fault, the other does not.
    same_reason = {("order", "inverted", "of the same customer")}
    secrets = ("INSERT OR IGNORE INTO inbox VALUES", "held.add")

    def test_a_relay_dies_between_any_two_of_its_steps(self):
        struck = [event for run in self.campaign("relay").runs for event in run.events if event["what"] == "crash"]
        assert {(None, "publish o1"), ("publish o1", "confirm o1"), ("confirm o1", "UPDATE outbox"),
                ("UPDATE outbox", "COMMIT")} <= {(event["after"], event["before"]) for event in struck}

    @pytest.mark.parametrize("damage", [
        lambda e: e.clear(), lambda e: e.update(runs=[]), lambda e: e.update(runs=e["runs"][:-1]),
        lambda e: e.update(runs=[{"plan": 1}]), lambda e: e["runs"][0].update(plan={}),
        lambda e: e["runs"][2].update(events=None)])
    def test_incomplete_or_broken_evidence_is_refused(self, damage):
        recorded = self.recorded("atomic")
        damage(recorded)
        with pytest.raises(Replayed):
            judge("atomic", recorded, (11,))


def test_one_of_two_ways_to_invert_events_needs_a_fault():
    faults = {mutant: verdict(check, "order", submission("outbox", "mutants", mutant)).faults
              for mutant in ("newest_first", "ox15_goes_on_after_failure")}
    assert faults["newest_first"] == 0 < faults["ox15_goes_on_after_failure"]


def test_shrinking_adds_no_fault():
    given = chosen(check, "pipeline", submission("outbox", "mutants", "ox19_inbox_apart"))
    found = check.attack("pipeline", given, STORMS).runs[-1]
    small = check.plan_of(check.shrunk("pipeline", given, found))
    assert small.faults() <= check.plan_of(found).faults()
    assert check.finding("pipeline", perform(small, given)).rule == "twice"


# Near misses: evidence just inside a rule, then just outside.

def run_of(**changes):
    """A calm run of the reference with two orders of one customer, with something changed."""
    run = copy.deepcopy(perform(Plan((Order("o1", "ada", 10), Order("o2", "ada", 20))), REFERENCE))
    for name, value in changes.items():
        setattr(run, name, value)
    return run


ONE, TWO = ["placed-o1", "o1", "ada", 10], ["placed-o2", "o2", "ada", 20]
FAULT = {"who": "relay", "what": "crash", "fault": True, "after": "confirm o1", "before": "UPDATE outbox", "step": 9}


@pytest.mark.parametrize("rule, holds, broken", [
    (rules.inverted, {"stored": [ONE, TWO, ONE]}, {"stored": [TWO, ONE]}),
    (rules.phantom, {}, {"orders": [["o1", "ada", 10]]}),
    (rules.renamed, {"stored": [ONE, ONE]}, {"stored": [ONE, ["other", *ONE[1:]]]}),
    (rules.garbled, {}, {"stored": [ONE, ["placed-o2", "o2", "ada", 21]]}),
    (rules.twice, {"stored": [ONE, TWO, TWO]}, {"spent": {"ada": 50}}),
    (rules.missing, {}, {"spent": {"ada": 10}}),
    (rules.lost, {"stored": [ONE], "outbox": [[*TWO, "waiting"]]}, {"stored": [ONE], "outbox": [[*TWO, "published"]]}),
    (rules.stuck, {}, {"stored": [ONE], "outbox": [[*TWO, "waiting"]]}),
    (rules.unacked, {}, {"unacked": ["o2"]}),
])
def test_rules_and_their_near_misses(rule, holds, broken):
    assert list(rule(run_of(**holds))) == []
    assert len(list(rule(run_of(**broken)))) == 1


def test_a_fault_excuses_exactly_one_copy():
    events = run_of().events
    assert list(rules.duplicate(run_of(stored=[ONE, TWO, ONE], events=[*events, FAULT]))) == []
    assert len(list(rules.duplicate(run_of(stored=[ONE, TWO, ONE])))) == 1
    assert len(list(rules.duplicate(run_of(stored=[ONE, ONE, ONE, TWO], events=[*events, FAULT])))) == 1


def test_a_refused_event_excuses_its_customer_and_nobody_else():
    waiting = {"stored": [], "outbox": [[*ONE, "waiting"], [*TWO, "waiting"]]}
    refused = run_of().plan | {"refused": ["o1"]}
    assert list(rules.stuck(run_of(**waiting, plan=refused))) == []
    strangers = {"orders": [["o1", "ada", 10], ["o2", "bob", 20]]}
    assert len(list(rules.stuck(run_of(**waiting, **strangers, plan=refused)))) == 1


def test_the_same_run_twice_is_the_same_run():
    plan = Plan((Order("o1", "ada", 10), Order("o2", "bob", 20)), crashes=(5,), lost_acks=(1,))
    assert perform(plan, REFERENCE) == perform(plan, REFERENCE)
