"""The checks of the read model accept what is right and reject each classic mistake for its own reason."""
import copy
import json
from functools import cache
from pathlib import Path

import exercises
import pytest
from classroom import notebooks
from exercises.attack import Replayed
from exercises.cqrs import Event, Log, Plan, check, judge, perform, picture, rules
from exercises.cqrs.log import lag_at, totals_at
from exercises.grader.grading import grade
from exercises.grader.release import about, derived, learners, release, solved, source_of

FOLDER = Path(exercises.__file__).parent / "cqrs"
MUTANTS = sorted(path.stem for path in FOLDER.glob("mutants/*.py"))
ALTERNATIVES = sorted(path.stem for path in FOLDER.glob("alternatives/*.py"))
FUNCTIONS = ("project", "position", "read", "rebuild", "lag")
SEEDS = (11, 12)


def answers(nb, instead: str = "") -> dict:
    """What a notebook defines in its answer cells, with some definitions replaced as by a learner who edits them."""
    namespace = {"__name__": "answers"}
    imports = next(cell.source for cell in nb.cells if cell.source.startswith("from exercises"))
    exec(imports, namespace)
    for cell in nb.cells:
        if "answer" in about(cell):
            exec(cell.source, namespace)
    exec(instead, namespace)
    return namespace


@cache
def submission(kind: str = "", name: str = "") -> dict:
    """The reference, or the reference with the functions of a mutant or an alternative."""
    instead = (FOLDER / kind / f"{name}.py").read_text(encoding="utf-8") if kind else ""
    return answers(derived(source_of(FOLDER), hidden=None), instead)


def reference() -> dict:
    return {each: submission()[each] for each in FUNCTIONS}


def campaign(name: str, given: dict, seeds=SEEDS):
    return check.attack(name, {each: given[each] for each in check.CHECKS[name].functions}, seeds)


def verdict(name: str, given: dict, seeds=SEEDS):
    """A check's verdict on some functions."""
    return check.verdict(name, campaign(name, given, seeds).runs)


@pytest.mark.parametrize("name", check.CHECKS)
def test_the_reference_is_correct_for_many_seeds(name):
    assert verdict(name, submission(), range(20, 23)).outcome == "correct"


@pytest.mark.parametrize("name", check.CHECKS)
@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_differently_written_solutions_are_correct(alternative, name):
    result = verdict(name, submission("alternatives", alternative), (3,))
    assert result.outcome == "correct", result


@pytest.mark.parametrize("mutant", MUTANTS)
def test_each_mutant_fails_for_its_own_reason(mutant):
    given = submission("mutants", mutant)
    name, rule, words = given["FAILS"]
    result = verdict(name, given)
    assert result.outcome == "wrong"
    assert (result.finding.rule, words in result.reason) == (rule, True), result


def test_no_two_mutants_fail_for_the_same_reason():
    reasons = [submission("mutants", mutant)["FAILS"] for mutant in MUTANTS]
    assert len(MUTANTS) >= 8 and len(set(reasons)) == len(reasons)


@pytest.mark.parametrize("name", check.CHECKS)
def test_the_stubs_are_not_attempted(name):
    assert verdict(name, answers(learners(source_of(FOLDER)))).outcome == "not attempted"


def test_matrix_of_submissions_outcomes_and_reasons(capsys):
    """Prints the table an instructor wants to see: every submission, every check, the reason of the first failure."""
    rows = {"reference": submission()} | {f"mutant {name}": submission("mutants", name) for name in MUTANTS}
    names = [name for name in check.CHECKS if name != "storm"]
    # A mutant meets the check of reads and the one that is to find it; all others would take minutes.
    table = {who: {name: verdict(name, given, (5,)) for name in names
                   if name in ("reads", given.get("FAILS", (name,))[0])} for who, given in rows.items()}
    signs = {"correct": "+", "wrong": "-"}
    with capsys.disabled():
        print(f"\n{'+ correct, - wrong':<36}{''.join(f'{name:>10}' for name in names)}   reason")
        for who, results in table.items():
            marks = (signs[results[name].outcome] if name in results else "" for name in names)
            first = next((result.reason for result in results.values() if result.reason), "")
            print(f"{who:<36}{''.join(f'{mark:>10}' for mark in marks)}   {first[:150]}")
    for who, results in table.items():
        assert ("wrong" in {result.outcome for result in results.values()}) == who.startswith("mutant"), who


@pytest.mark.parametrize("name", check.CHECKS)
def test_the_judge_agrees_from_the_recorded_evidence_alone(name):
    recorded = json.loads(json.dumps(campaign(name, submission(), (11,)).as_dict()))
    assert judge(name, recorded, (11,)).outcome == "correct"
    with pytest.raises(Replayed):
        judge(name, recorded, (13,))  # evidence for another seed than the grader's
    recorded["runs"].pop()
    with pytest.raises(Replayed):
        judge(name, recorded, (11,))


def test_evidence_in_which_the_faults_never_struck_is_no_proof():
    recorded = json.loads(json.dumps(campaign("once", submission()).as_dict()))
    recorded["runs"][3]["events"] = [event for event in recorded["runs"][3]["events"] if "fault" not in event]
    assert judge("once", recorded, SEEDS).finding.rule == "unfired"


@pytest.mark.parametrize("name, kind, fault", [("once", "crashes", "crash")])
def test_a_fault_at_every_step_of_the_calm_run(name, kind, fault):
    runs = campaign(name, submission(), (7,)).runs
    calm = runs[0]
    assert [run.plan[kind] for run in runs[1:calm.steps + 1]] == [[step] for step in range(1, calm.steps + 1)]
    hit = [event for run in runs[1:calm.steps + 1] for event in run.events if event["what"] == fault]
    assert len(hit) == calm.steps and {"BEGIN", "UPDATE totals", "REPLACE checkpoint", "COMMIT"} <= {
        each["before"] for each in hit}


def test_a_failing_storm_is_shown_in_a_form_that_no_smaller_attack_has():
    given = {name: submission("mutants", "state_then_checkpoint")[name] for name in check.CHECKS["storm"].functions}
    found = check.attack("storm", given, (1,)).runs[-1]
    small = check.plan_of(check.shrunk("storm", given, found))
    rule = check.finding("storm", perform(small, given)).rule
    for smaller in check.fewer(small):
        left = check.finding("storm", perform(smaller, given))
        assert left is None or left.rule != rule
    assert check.storm(*given.values()).finding.story


# The truth the models are compared with.

LOG = (Event(1, 10, "placed", "ada", 40), Event(3, 20, "renamed", "ada", 1), Event(4, 30, "placed", "ada", 2),
       Event(7, 50, "cancelled", "ada", 40))


def test_the_totals_at_a_position_hold_what_stands_up_to_there():
    assert [totals_at(LOG, position).get("ada") for position in (0, 2, 4, 7)] == [None, [1, 40], [2, 42], [1, 2]]


def test_the_lag_is_nothing_when_nothing_waits_and_the_age_of_the_oldest_otherwise():
    assert [lag_at(list(LOG), position, 100) for position in (7, 4, 1)] == [[0, 0], [1, 50], [3, 80]]


def test_a_log_is_read_behind_a_position_and_not_beyond_a_limit():
    log = Log(LOG)
    assert log.head() == 7 and [event.position for event in log.read(1, 2)] == [3, 4] and Log().head() == 0


def test_the_same_run_twice_is_the_same_run():
    plan = Plan(LOG, (("project", 0, 2), ("again", 0, 1)), crashes=(3,), pauses=(7,), meanwhile=(("project", 0, 1),),
                visible=4)
    assert perform(plan, reference()) == perform(plan, reference())


# Near misses: evidence just inside a rule, then just outside.

ACTS = (("project", 0, 4), ("read", 0, "ada"), ("lag", 0))


def run_of(acts=ACTS, **changes):
    """A calm run of the reference, with something changed."""
    run = copy.deepcopy(perform(Plan(LOG, acts, visible=4), reference()))
    for name, value in changes.items():
        setattr(run, name, value(getattr(run, name)))
    return run


def first(kind: str, **change):
    """Change the first answer of a kind."""
    def changed(answers):
        number = next(n for n, answer in enumerate(answers) if answer["kind"] == kind)
        return [answer | change if n == number else answer for n, answer in enumerate(answers)]
    return changed


@pytest.mark.parametrize("rule, change", [
    (rules.wrong, {"answers": first("read", returned=[7, 1, 3])}),
    (rules.wrong, {"answers": first("read", returned=[4, 1, 2])}),
    (rules.wrong, {"answers": first("read", returned=None)}),
    (rules.older, {"answers": first("read", token=8)}),
    (rules.unhelpful, {"answers": first("read", error="NotYet", token=7)}),
    (rules.mismeasured, {"answers": first("lag", returned=[0, 1])}),
    (rules.behind, {"models": lambda models: [models[0] | {"position": 4}, models[1]]}),
    (rules.drifted, {"models": lambda models: [models[0], models[1] | {"totals": [["ada", 1, 3]]}]}),
])
def test_rules_and_their_near_misses(rule, change):
    assert list(rule(run_of())) == []
    assert len(list(rule(run_of(**change)))) == 1


# The notebook and its grading.

def test_the_notebook_in_the_repository_is_what_its_source_gives(tmp_path):
    (tmp_path / "source.md").write_bytes((FOLDER / "source.md").read_bytes())
    assert release(tmp_path).read_bytes() == (FOLDER / "exercise.ipynb").read_bytes(), (
        "exercise.ipynb is out of date: python -m exercises.grader.release exercises/cqrs")


def test_a_learner_sees_neither_solutions_nor_hidden_tests():
    text = notebooks.render(learners(source_of(FOLDER)))
    assert text.count("raise NotImplementedError") == len(FUNCTIONS)
    for hidden in ("SOLUTION", "HIDDEN", "UNSEEN", "FROM shadow"):
        assert hidden not in text


def test_the_picture_counts_what_the_notebook_lets_one_predict(capsys):
    nb = source_of(FOLDER)
    naive = next(cell.source for cell in nb.cells if cell.source.startswith("def naive"))
    given = answers(derived(nb, hidden=None), naive)
    assert picture.effects(given["naive"], given["naive_position"], given["naive_read"]) is not None
    assert "in 6 of" in capsys.readouterr().out
    picture.effects(given["project"], given["position"], given["read"])
    assert "in 0 of" in capsys.readouterr().out


@pytest.mark.parametrize("kind, points", [(solved, 10), (learners, 0)])
def test_the_grader_gives_the_reference_everything_and_the_untouched_notebook_nothing(kind, points, tmp_path):
    path = tmp_path / "exercise.ipynb"
    notebooks.write(kind(source_of(FOLDER)), path)
    result = grade(path, [21])
    assert (result.points, result.possible, result.problem) == (points, 10, "")
    assert result.flags == []
