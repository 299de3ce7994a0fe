"""The checks of the consumer groups accept what is right and reject each classic mistake for its own reason."""
import copy
import importlib.util
import json
from functools import cache
from pathlib import Path

import exercises
import pytest
from classroom import notebooks
from exercises.attack import Replayed
from exercises.consumer_groups import Failed, Plan, check, groups, judge, perform, picture, rules
from exercises.consumer_groups.check import made_up_in
from exercises.grader.grading import grade
from exercises.grader.release import about, derived, learners, release, solved, source_of

FOLDER = Path(exercises.__file__).parent / "consumer_groups"
MUTANTS = sorted(path.stem for path in FOLDER.glob("mutants/*.py"))
ALTERNATIVES = sorted(path.stem for path in FOLDER.glob("alternatives/*.py"))
FUNCTIONS = ("size", "settings", "consume")
SEEDS = (11, 12)


@cache
def module(kind: str, name: str):
    """A mutant or an alternative as a module."""
    spec = importlib.util.spec_from_file_location(f"{kind}_{name}", FOLDER / kind / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def answers(nb) -> dict:
    """The functions a notebook defines in its answer cells."""
    namespace = {"__name__": "answers"}
    exec("from exercises.consumer_groups import LIMIT, Failed, NotSent", namespace)
    for cell in nb.cells:
        if "answer" in about(cell):
            exec(cell.source, namespace)
    return {name: namespace[name] for name in FUNCTIONS}


@cache
def reference() -> dict:
    return answers(derived(source_of(FOLDER), hidden=None))


def functions(kind: str, name: str) -> dict:
    """The functions of a mutant or an alternative; what it leaves out is taken from the reference."""
    return {each: getattr(module(kind, name), each, reference()[each]) for each in FUNCTIONS}


def campaign(name: str, given: dict, seeds=SEEDS):
    return check.attack(name, {each: given[each] for each in check.CHECKS[name].functions}, seeds)


def verdict(name: str, given: dict, seeds=SEEDS):
    """A check's verdict on some functions."""
    return check.verdict(name, campaign(name, given, seeds).runs)


@pytest.mark.parametrize("name", check.CHECKS)
def test_the_reference_is_correct_for_many_seeds(name):
    result = verdict(name, reference(), range(20, 24))
    assert result.outcome == "correct", result


@pytest.mark.parametrize("name", check.CHECKS)
@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_differently_written_solutions_are_correct(alternative, name):
    result = verdict(name, functions("alternatives", alternative), (3, 4))
    assert result.outcome == "correct", result


@pytest.mark.parametrize("mutant", MUTANTS)
def test_each_mutant_fails_for_its_own_reason(mutant):
    name, rule, words = module("mutants", mutant).FAILS
    result = verdict(name, functions("mutants", mutant))
    assert result.outcome == "wrong"
    assert (result.finding.rule, words in result.reason) == (rule, True), result.reason


def test_there_are_enough_mutants_for_each_program():
    programs = [next(each for each in FUNCTIONS if hasattr(module("mutants", mutant), each)) for mutant in MUTANTS]
    assert all(programs.count(each) >= 6 for each in FUNCTIONS)


@pytest.mark.parametrize("name", check.CHECKS)
def test_the_stubs_are_not_attempted(name):
    assert verdict(name, answers(learners(source_of(FOLDER)))).outcome == "not attempted"


@pytest.mark.parametrize("name", check.CHECKS)
def test_the_judge_agrees_from_the_recorded_evidence_alone(name):
    recorded = json.loads(json.dumps(campaign(name, reference(), (11,)).as_dict()))
    assert judge(name, recorded, (11,)).outcome == "correct"
    with pytest.raises(Replayed):
        judge(name, recorded, (13,))  # evidence for another seed than the grader's
    recorded["runs"].pop()
    with pytest.raises(Replayed):
        judge(name, recorded, (11,))


def test_the_judge_simulates_the_answer_itself():
    recorded = json.loads(json.dumps(campaign("members", reference(), (11,)).as_dict()))
    recorded["runs"][0]["answer"] = [1, 1]
    assert judge("members", recorded, (11,)).finding.rule == "late"


def test_a_crash_at_every_step_of_the_calm_run():
    runs = campaign("crashes", reference(), (7,)).runs
    assert [run.plan["crashes"] for run in runs[1:runs[0].steps + 1]] == [[step] for step in range(1, runs[0].steps + 1)]
    before = {event["before"].split()[0] for run in runs for event in run.events if event["what"] == "crash"}
    assert before == {"INSERT", "COMMIT", "apply", "dead", "commit"}


def test_a_failing_storm_is_shown_in_a_form_that_no_smaller_attack_has():
    given = {"consume": module("mutants", "counts_in_memory").consume}
    found = check.attack("storm", given, (1,)).runs[-1]
    small = check.plan_of(check.shrunk("storm", given, found))
    rule = check.finding("storm", perform(small, given)).rule
    for smaller in check.fewer(small):
        left = check.finding("storm", perform(smaller, given))
        assert left is None or left.rule != rule


# The questions: each has one clear answer, and the simulation agrees with the arithmetic.

@pytest.mark.parametrize("seed", [31, 32])
def test_the_simulated_group_is_in_time_exactly_if_the_arithmetic_says_so(seed):
    for plan, _ in check.EXERCISE.plans("members", (seed,)):
        right = reference()["size"](plan.load)[0]
        assert made_up_in(plan.load, right) < plan.load.within < made_up_in(plan.load, right - 1)
        assert groups.left_over(plan.load, right, seed) < 0.1 and groups.left_over(plan.load, right - 1, seed) > 0.1


def test_waiting_and_replacing_both_win_somewhere():
    kinds = {reference()["settings"](plan.deployment)["group_instance_id"] for plan, _ in check.EXERCISE.plans("rolling", (31,))}
    assert kinds == {True, False}


# The world, and near misses: evidence just inside a rule, then just outside.

LOG = (((3, "a1"), (5, "a2")), ((0, "b1"),))


def test_what_the_service_kills_is_delivered_again_and_at_last_given_up():
    run = perform(Plan(log=LOG, killers=("a1",)), reference())
    assert run.tried["a1"] == 3 and run.letters == ["a1"] and run.applied == ["b1", "a2"] and run.next == [6, 1]


@pytest.mark.parametrize("loss, letters", [("letter lost", 1), ("confirmation lost", 2)])
def test_no_confirmation_says_nothing_about_the_letter(loss, letters):
    run = perform(Plan(log=LOG, poison=("a1",), losses=((1, loss),)), reference())
    assert run.letters == ["a1"] * letters and list(rules.copied(run)) == []


def test_a_failure_lets_the_consumer_start_again_at_its_commit():
    def consume(db, batch, downstream, letters):
        for record in batch:
            downstream.apply(record)
            record.commit()
    run = perform(Plan(log=LOG, hiccups=(("a2", 1),)), {"consume": consume})
    assert run.applied.count("a1") == 1 and run.tried["a2"] == 2 and Failed.__name__ in {call.get("error") for call in rules.calls(run)}


def run_of(**changes):
    """The reference's run with one poisoned record, with something changed."""
    run = copy.deepcopy(perform(Plan(log=LOG, poison=("a1",)), reference()))
    for name, value in changes.items():
        setattr(run, name, value)
    return run


@pytest.mark.parametrize("rule, holds, broken", [
    (rules.skipped, {"letters": [], "next": [3, 1]}, {"letters": []}),
    (rules.hasty, {"tried": {"a1": 3}}, {"tried": {"a1": 2}}),
    (rules.stubborn, {"tried": {"a1": 3}}, {"tried": {"a1": 4}}),
    (rules.blocked, {}, {"letters": [], "next": [3, 1]}),
    (rules.copied, {}, {"letters": ["a1", "a1"]}),
    (rules.behind, {}, {"next": [5, 1]}),
])
def test_rules_and_their_near_misses(rule, holds, broken):
    assert list(rule(run_of(**holds))) == []
    assert len(list(rule(run_of(**broken)))) == 1


# The notebook and its grading.

def test_the_notebook_in_the_repository_is_what_its_source_gives(tmp_path):
    (tmp_path / "source.md").write_bytes((FOLDER / "source.md").read_bytes())
    assert release(tmp_path).read_bytes() == (FOLDER / "exercise.ipynb").read_bytes(), (
        "exercise.ipynb is out of date: python -m exercises.grader.release exercises/consumer_groups")


def test_a_learner_sees_neither_solutions_nor_hidden_tests():
    text = notebooks.render(learners(source_of(FOLDER)))
    assert text.count("raise NotImplementedError") == len(FUNCTIONS)
    for hidden in ("SOLUTION", "HIDDEN", "UNSEEN", "leaving_costs"):
        assert hidden not in text


def test_the_pictures_say_what_the_notebook_says(capsys):
    def naive(db, batch, downstream, letters):
        for record in batch:
            try:
                downstream.apply(record)
            except Failed:
                pass
            record.commit()
    runs = [perform(picture.PLAN, {"consume": naive})]
    assert [picture.fate(runs[0], id) for _, id in picture.RECORDS] == ["done", "lost", "lost", "done"]
    assert picture.fates(naive) is not None and picture.fates(reference()["consume"]) is not None
    assert picture.lag(5) is not None
    printed = capsys.readouterr().out
    assert "naive: in 9 of 9 runs" in printed and "consume: in 0 of" in printed and "5 members: " in printed
    needed = reference()["size"](picture.LOAD)[0]
    assert needed == 6 and groups.left_over(picture.LOAD, 5, 1) > 0.1


@pytest.mark.parametrize("submission, points", [(solved, 10), (learners, 0)])
def test_the_grader_gives_the_reference_everything_and_the_untouched_notebook_nothing(submission, points, tmp_path):
    path = tmp_path / "exercise.ipynb"
    notebooks.write(submission(source_of(FOLDER)), path)
    result = grade(path, [21])
    assert (result.points, result.possible, result.problem) == (points, 10, ""), result
    assert result.flags == []
