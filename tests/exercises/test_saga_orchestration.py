"""The checks of the saga accept what is right and reject each classic mistake for its own reason."""
import copy
import json
from functools import cache
from pathlib import Path

import exercises
import pytest
from classroom import notebooks
from exercises.attack import Replayed
from exercises.grader.grading import grade
from exercises.grader.release import about, derived, learners, release, solved, source_of
from exercises.saga_orchestration import Order, Plan, check, judge, perform, picture, rules

FOLDER = Path(exercises.__file__).parent / "saga_orchestration"
MUTANTS = sorted(path.stem for path in FOLDER.glob("mutants/*.py"))
ALTERNATIVES = sorted(path.stem for path in FOLDER.glob("alternatives/*.py"))
FUNCTIONS = ("start", "resume")
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
    # A mutant meets the calm runs and the check that is to find it; all others would take minutes.
    table = {who: {name: verdict(name, given, (5,)) for name in names
                   if name in ("steps", given.get("FAILS", (name,))[0])} for who, given in rows.items()}
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
    recorded = json.loads(json.dumps(campaign("crash", submission()).as_dict()))
    recorded["runs"][3]["events"] = [event for event in recorded["runs"][3]["events"] if "fault" not in event]
    assert judge("crash", recorded, SEEDS).finding.rule == "unfired"


@pytest.mark.parametrize("name, kind, fault", [("crash", "crashes", "crash"), ("rivals", "pauses", "pause")])
def test_a_fault_at_every_step_of_the_calm_run(name, kind, fault):
    runs = campaign(name, submission(), (7,)).runs
    calm = runs[0]
    assert [run.plan[kind] for run in runs[1:calm.steps + 1]] == [[step] for step in range(1, calm.steps + 1)]
    hit = [event for run in runs[1:calm.steps + 1] for event in run.events if event["what"] == fault]
    assert len(hit) == calm.steps and {"COMMIT", "charge o1", "answer of charge o1"} <= {e["before"] for e in hit}


def test_a_failing_storm_is_shown_in_a_form_that_no_smaller_attack_has():
    given = {name: submission("mutants", "random_key")[name] for name in check.CHECKS["storm"].functions}
    found = check.attack("storm", given, (1,)).runs[-1]
    small = check.plan_of(check.shrunk("storm", given, found))
    rule = check.finding("storm", perform(small, given)).rule
    for smaller in check.fewer(small):
        left = check.finding("storm", perform(smaller, given))
        assert left is None or left.rule != rule
    assert check.storm(*given.values()).finding.story


# The world: what the services do.

ORDER = Order("o1", "ada", 40)


def test_a_key_undone_before_it_was_used_is_refused_for_ever():
    def start(db, services, order):
        services.refund("k", order.id)
        services.charge("k", order.id)
    run = perform(Plan((ORDER,)), {"start": start, "resume": lambda db, services: None})
    assert run.effects == [] and run.events[0]["error"] == "Rejected"


@pytest.mark.parametrize("kind, effects", [("request lost", []), ("answer lost", [["charge", "o1"]]),
                                           ("late", [["charge", "o1"]]), ("busy", [])])
def test_what_the_faults_do(kind, effects):
    def start(db, services, order):
        services.charge("k", order.id)
    run = perform(Plan((ORDER,), faults=(("charge", 1, kind),)), {"start": start, "resume": lambda db, services: None})
    assert run.effects == effects and run.events[0]["error"] == ("Busy" if kind == "busy" else "NoAnswer")


def test_the_same_run_twice_is_the_same_run():
    plan = Plan((ORDER, Order("o2", "bob", 10)), crashes=(5,), pauses=(9,), faults=(("ship", 1, "late"),))
    assert perform(plan, reference()) == perform(plan, reference())


# Near misses: evidence just inside a rule, then just outside.

def run_of(*rejects, **changes):
    """A calm run of the reference with one order, with something changed."""
    run = copy.deepcopy(perform(Plan((ORDER,), rejects=rejects), reference()))
    for name, value in changes.items():
        setattr(run, name, value)
    return run


NO = ("o1", "ship")
ALL = [["reserve", "o1"], ["charge", "o1"], ["ship", "o1"], ["mail", "o1"]]
BACK = [["reserve", "o1"], ["charge", "o1"], ["refund", "o1"], ["release", "o1"]]


@pytest.mark.parametrize("rule, rejects, change", [
    (rules.twice, (), {"effects": [*ALL, ALL[1]]}),
    (rules.torn, (), {"effects": ALL[:3]}),
    (rules.taken_back, (), {"effects": [*ALL, BACK[2]]}),
    (rules.leaked, (NO,), {"effects": BACK[:3]}),
    (rules.out_of_order, (NO,), {"effects": [*BACK[:2], BACK[3], BACK[2]]}),
    (rules.overspent, (), {"held": {"ada": 40}}),
    (rules.overspent, (), {"most_held": {"ada": 1001}}),
    (rules.unfinished, (), {"orders": {"o1": "pending"}}),
    (rules.unfinished, (), {"orders": {}}),
    (rules.needless, (), {"orders": {"o1": "failed"}}),
])
def test_rules_and_their_near_misses(rule, rejects, change):
    assert list(rule(run_of(*rejects))) == []
    assert len(list(rule(run_of(*rejects, **change)))) == 1


# The notebook and its grading.

def test_the_notebook_in_the_repository_is_what_its_source_gives(tmp_path):
    (tmp_path / "source.md").write_bytes((FOLDER / "source.md").read_bytes())
    assert release(tmp_path).read_bytes() == (FOLDER / "exercise.ipynb").read_bytes(), (
        "exercise.ipynb is out of date: python -m exercises.grader.release exercises/saga_orchestration")


def test_a_learner_sees_neither_solutions_nor_hidden_tests():
    text = notebooks.render(learners(source_of(FOLDER)))
    assert text.count("raise NotImplementedError") == len(FUNCTIONS)
    for hidden in ("SOLUTION", "HIDDEN", "UNSEEN", "PATIENCE"):
        assert hidden not in text


def test_the_picture_counts_what_the_notebook_lets_one_predict(capsys):
    nb = source_of(FOLDER)
    naive = next(cell.source for cell in nb.cells if cell.source.startswith("def naive"))
    given = answers(derived(nb, hidden=None), naive)
    assert picture.effects(given["naive"], given["nothing"]) is not None
    assert "in 5 of 15 runs" in capsys.readouterr().out
    picture.effects(given["start"], given["resume"])
    assert "in 0 of" in capsys.readouterr().out


@pytest.mark.parametrize("kind, points", [(solved, 10), (learners, 0)])
def test_the_grader_gives_the_reference_everything_and_the_untouched_notebook_nothing(kind, points, tmp_path):
    path = tmp_path / "exercise.ipynb"
    notebooks.write(kind(source_of(FOLDER)), path)
    result = grade(path, [21])
    assert (result.points, result.possible, result.problem) == (points, 10, "")
    assert result.flags == []
