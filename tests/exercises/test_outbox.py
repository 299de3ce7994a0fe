"""The checks of the outbox exercise accept what is right and reject each classic mistake for its own reason."""
import copy
import json
from functools import cache

import outbox_solutions as solutions
import pytest
from exercises.attack import Replayed
from exercises.outbox import Order, Plan, check, judge, perform, rules

SEEDS = (11, 12)


def verdict(name: str, functions: dict, seeds=SEEDS):
    """A check's verdict on some functions."""
    needed = {each: functions[each] for each in check.CHECKS[name].functions}
    return check.verdict(name, check.attack(name, needed, seeds).runs)


@cache
def known(name: str, *functions):
    return verdict(name, dict(zip(check.CHECKS[name].functions, functions)), (5,))


def cached(name: str, functions: dict):
    """The verdict, taken once for functions that several submissions share."""
    return known(name, *(functions[each] for each in check.CHECKS[name].functions))


def evidence(name: str, functions: dict, seeds=SEEDS) -> dict:
    """What a graded run would have recorded."""
    needed = {each: functions[each] for each in check.CHECKS[name].functions}
    return json.loads(json.dumps(check.attack(name, needed, seeds).as_dict()))


@pytest.mark.parametrize("name", check.CHECKS)
def test_the_reference_is_correct_for_many_seeds(name):
    assert verdict(name, solutions.reference(), range(5)).outcome == "correct"


@pytest.mark.parametrize("name", check.CHECKS)
@pytest.mark.parametrize("alternative", solutions.ALTERNATIVES)
def test_differently_written_solutions_are_correct(alternative, name):
    result = verdict(name, solutions.functions("alternatives", alternative), range(2))
    assert result.outcome == "correct", result


@pytest.mark.parametrize("mutant", solutions.MUTANTS)
@pytest.mark.parametrize("seed", [1, 2])
def test_each_mutant_fails_for_its_own_reason(mutant, seed):
    name, rule, words = solutions.module("mutants", mutant).FAILS
    result = verdict(name, solutions.functions("mutants", mutant), [seed])
    assert result.outcome == "wrong"
    assert result.finding.rule == rule
    assert words in result.reason


def test_no_two_mutants_fail_for_the_same_reason():
    reasons = [solutions.module("mutants", mutant).FAILS for mutant in solutions.MUTANTS]
    same = {reason for reason in reasons if reasons.count(reason) > 1}
    # Two ways to invert a customer's events look the same from outside; one needs a fault, the other does not.
    assert same == {("order", "inverted", "of the same customer")}
    faults = {mutant: verdict("order", solutions.functions("mutants", mutant)).faults
              for mutant in ("newest_first", "ox15_goes_on_after_failure")}
    assert faults["newest_first"] == 0 < faults["ox15_goes_on_after_failure"]


@pytest.mark.parametrize("name", check.CHECKS)
def test_the_stubs_are_not_attempted(name):
    assert verdict(name, solutions.answers(solutions.untouched())).outcome == "not attempted"


def test_matrix_of_submissions_outcomes_and_reasons(capsys):
    """Prints the table an instructor wants to see: every submission, every check, the reason of the first failure."""
    rows = {"reference": solutions.reference(), "untouched": solutions.answers(solutions.untouched())}
    rows |= {f"alternative {name}": solutions.functions("alternatives", name) for name in solutions.ALTERNATIVES}
    rows |= {f"mutant {name}": solutions.functions("mutants", name) for name in solutions.MUTANTS}
    table = {who: {name: cached(name, functions) for name in check.CHECKS} for who, functions in rows.items()}
    signs = {"correct": "+", "wrong": "-", "not attempted": "."}
    with capsys.disabled():
        print(f"\n{'+ correct, - wrong, . not attempted':<36}{''.join(f'{name:>9}' for name in check.CHECKS)}   reason")
        for who, results in table.items():
            first = next((result.reason for result in results.values() if result.reason), "")
            print(f"{who:<36}{''.join(f'{signs[r.outcome]:>9}' for r in results.values())}   {first[:150]}")
    for who, results in table.items():
        outcomes = {result.outcome for result in results.values()}
        assert ("wrong" in outcomes) == who.startswith("mutant"), who


@pytest.mark.parametrize("name", check.CHECKS)
def test_the_judge_agrees_from_the_recorded_evidence_alone(name):
    recorded = evidence(name, solutions.reference())
    assert judge(name, recorded, SEEDS).outcome == "correct"
    with pytest.raises(Replayed):
        judge(name, recorded, (13, 14))  # evidence for other seeds than the grader's


@pytest.mark.parametrize("damage", [
    lambda e: e.clear(), lambda e: e.update(runs=[]), lambda e: e.update(runs=e["runs"][:-1]),
    lambda e: e.update(runs=[{"plan": 1}]), lambda e: e["runs"][0].update(plan={}),
    lambda e: e["runs"][2].update(events=None)])
def test_incomplete_or_broken_evidence_is_refused(damage):
    recorded = evidence("atomic", solutions.reference())
    damage(recorded)
    with pytest.raises(Replayed):
        judge("atomic", recorded, SEEDS)


def test_evidence_in_which_the_faults_never_struck_is_no_proof():
    recorded = evidence("atomic", solutions.reference())
    recorded["runs"][3]["events"] = [event for event in recorded["runs"][3]["events"] if "fault" not in event]
    assert judge("atomic", recorded, SEEDS).finding.rule == "unfired"


def test_a_crash_at_every_step_of_the_calm_run():
    campaign = check.attack("relay", {"relay_once": solutions.reference()["relay_once"]}, (7,))
    calm = campaign.runs[0]
    crashes = [run.plan["crashes"] for run in campaign.runs[1:calm.steps + 1]]
    assert crashes == [[step] for step in range(1, calm.steps + 1)]
    struck = [event for run in campaign.runs for event in run.events if event["what"] == "crash"]
    assert {(None, "publish o1"), ("publish o1", "confirm o1"), ("confirm o1", "UPDATE outbox"),
            ("UPDATE outbox", "COMMIT")} <= {(event["after"], event["before"]) for event in struck}


def test_a_failing_pipeline_is_shown_in_a_form_that_no_smaller_attack_has():
    functions = solutions.functions("mutants", "ox19_inbox_apart")
    found = check.attack("pipeline", functions, (1,)).runs[-1]
    small = check.plan_of(check.shrunk("pipeline", functions, found))
    assert small.faults() <= check.plan_of(found).faults()
    assert check.finding("pipeline", perform(small, functions)).rule == "twice"
    for smaller in check.fewer(small):
        left = check.finding("pipeline", perform(smaller, functions))
        assert left is None or left.rule != "twice"
    assert check.pipeline(*functions.values()).finding.story


# Near misses: evidence just inside a rule, then just outside.

def run_of(**changes):
    """A calm run of the reference with two orders of one customer, with something changed."""
    run = copy.deepcopy(perform(Plan((Order("o1", "ada", 10), Order("o2", "ada", 20))), solutions.reference()))
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
    assert perform(plan, solutions.reference()) == perform(plan, solutions.reference())
