"""The checks of the idempotent consumer accept what is right and reject each classic mistake for its own reason."""
import contextlib
import copy
import importlib.util
import json
from functools import cache
from pathlib import Path

import exercises
import pytest
from classroom import notebooks
from exercises.attack import Replayed
from exercises.grader.grading import grade
from exercises.grader.release import about, derived, learners, release, solved, source_of
from exercises.idempotent_consumer import Event, NoAnswer, Plan, check, judge, perform, picture, rules

FOLDER = Path(exercises.__file__).parent / "idempotent_consumer"
MUTANTS = sorted(path.stem for path in FOLDER.glob("mutants/*.py"))
ALTERNATIVES = sorted(path.stem for path in FOLDER.glob("alternatives/*.py"))
FUNCTIONS = ("handle", "forget", "start", "apply", "pay")
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
    assert verdict(name, reference()).outcome == "correct"


@pytest.mark.parametrize("name", check.CHECKS)
@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_differently_written_solutions_are_correct(alternative, name):
    result = verdict(name, functions("alternatives", alternative), (3,))
    assert result.outcome == "correct", result


@pytest.mark.parametrize("mutant", MUTANTS)
def test_each_mutant_fails_for_its_own_reason(mutant):
    name, rule, words = module("mutants", mutant).FAILS
    result = verdict(name, functions("mutants", mutant))
    assert result.outcome == "wrong"
    assert result.finding.rule == rule
    assert words in result.reason


def test_no_two_mutants_fail_for_the_same_reason():
    reasons = [module("mutants", mutant).FAILS for mutant in MUTANTS]
    same = {reason for reason in reasons if reasons.count(reason) > 1}
    # To recognise nothing and to recognise offsets looks the same for a copy; redelivery tells the two apart.
    assert same == {("copies", "twice", "No fault was needed")}
    outcomes = {mutant: verdict("once", functions("mutants", mutant)).outcome for mutant in ("no_dedup", "by_offset")}
    assert outcomes == {"no_dedup": "wrong", "by_offset": "correct"}


@pytest.mark.parametrize("name", check.CHECKS)
def test_the_stubs_are_not_attempted(name):
    assert verdict(name, answers(learners(source_of(FOLDER)))).outcome == "not attempted"


def test_matrix_of_submissions_outcomes_and_reasons(capsys):
    """Prints the table an instructor wants to see: every submission, every check, the reason of the first failure."""
    rows = {"reference": reference()} | {f"mutant {name}": functions("mutants", name) for name in MUTANTS}
    # A check whose functions are the reference's own has said what it has to say in the row above.
    table = {who: {name: verdict(name, given, (5,)) for name in check.CHECKS if name != "storm" and
                   (who == "reference" or any(given[each] is not reference()[each]
                                              for each in check.CHECKS[name].functions))}
             for who, given in rows.items()}
    signs = {"correct": "+", "wrong": "-"}
    names = [name for name in check.CHECKS if name != "storm"]
    with capsys.disabled():
        print(f"\n{'+ correct, - wrong':<32}{''.join(f'{name:>9}' for name in names)}   reason")
        for who, results in table.items():
            first = next((result.reason for result in results.values() if result.reason), "")
            marks = (signs[results[name].outcome] if name in results else "" for name in names)
            print(f"{who:<32}{''.join(f'{mark:>9}' for mark in marks)}   {first[:150]}")
    for who, results in table.items():
        assert ("wrong" in {result.outcome for result in results.values()}) == who.startswith("mutant"), who


@pytest.mark.parametrize("name", check.CHECKS)
def test_the_judge_agrees_from_the_recorded_evidence_alone(name):
    recorded = json.loads(json.dumps(campaign(name, reference(), (11,)).as_dict()))
    assert judge(name, recorded, (11,)).outcome == "correct"
    with pytest.raises(Replayed):
        judge(name, recorded, (13,))  # evidence for another seed than the grader's
    recorded["runs"].pop()
    with pytest.raises(Replayed):
        judge(name, recorded, (11,))


def test_evidence_in_which_the_faults_never_struck_is_no_proof():
    recorded = json.loads(json.dumps(campaign("once", reference()).as_dict()))
    recorded["runs"][3]["events"] = [event for event in recorded["runs"][3]["events"] if "fault" not in event]
    assert judge("once", recorded, SEEDS).finding.rule == "unfired"


@pytest.mark.parametrize("name, kind, fault", [("once", "crashes", "crash"), ("handover", "pauses", "pause")])
def test_a_fault_at_every_step_of_the_calm_run(name, kind, fault):
    runs = campaign(name, reference(), (7,)).runs
    calm = runs[0]
    assert [run.plan[kind] for run in runs[1:calm.steps + 1]] == [[step] for step in range(1, calm.steps + 1)]
    struck = [event for run in runs[1:calm.steps + 1] for event in run.events if event["what"] == fault]
    before = {event["before"].split()[0] for event in struck}
    assert len(struck) == calm.steps and before == {"INSERT", "UPDATE", "COMMIT", "commit"}


def test_a_failing_storm_is_shown_in_a_form_that_no_smaller_attack_has():
    given = {name: functions("mutants", "seen_apart_after")[name] for name in check.CHECKS["storm"].functions}
    found = check.attack("storm", given, (1,)).runs[-1]
    small = check.plan_of(check.shrunk("storm", given, found))
    rule = check.finding("storm", perform(small, given)).rule
    for smaller in check.fewer(small):
        left = check.finding("storm", perform(smaller, given))
        assert left is None or left.rule != rule
    assert check.storm(*given.values()).finding.story


# The world: what the broker and the gateway do.

ONE, TWO = (3, Event("ada-1", "ada", 1, 1)), (5, Event("ada-2", "ada", 2, 10))
LOG = ((ONE, TWO), ())


def events_of(run, what: str) -> list[dict]:
    return [event for event in run.events if event["what"].startswith(what)]


def test_both_consumers_handle_a_record_when_one_is_paused_and_the_late_commit_is_refused():
    run = perform(Plan(LOG, pauses=(1,)), reference())
    handled = [event["who"] for event in events_of(run, "call") if event["about"] == "ada-1 at 3"]
    assert handled == ["consumer-1", "consumer-2"]
    refused = [event for event in events_of(run, "commit offset 4") if "error" in event]
    assert [event["who"] for event in refused] == ["consumer-1"]
    assert run.balances == {"ada": 11} and run.next == [6, 0]


def test_a_crash_hands_the_partition_to_the_other_consumer_from_the_committed_offset():
    run = perform(Plan(LOG, crashes=(6,)), reference())
    assert [(event["who"], event["about"]) for event in events_of(run, "call")] == [
        ("consumer-1", "ada-1 at 3"), ("consumer-1", "ada-2 at 5"), ("consumer-2", "ada-2 at 5")]


@pytest.mark.parametrize("loss, charges", [("request lost", []), ("answer lost", [["ada-1", "ada", 1]])])
def test_no_answer_says_nothing_about_the_charge(loss, charges):
    def pay(db, gateway, record):
        with contextlib.suppress(NoAnswer):
            gateway.charge("key", "ada", 1)
        record.commit()
    run = perform(Plan(((ONE,), ()), "pay", losses=((1, loss),)), {"pay": pay})
    assert run.charges == charges and len(events_of(run, "answer ada-1")) == 1


def test_the_same_run_twice_is_the_same_run():
    plan = Plan(LOG, crashes=(5,), pauses=(2,), locked=(1,), rewind=1)
    assert perform(plan, reference()) == perform(plan, reference())


# Near misses: evidence just inside a rule, then just outside.

def run_of(program: str = "handle", **changes):
    """A calm run of the reference with two events of one account, with something changed."""
    run = copy.deepcopy(perform(Plan(LOG, program), reference()))
    for name, value in changes.items():
        setattr(run, name, value)
    return run


@pytest.mark.parametrize("program, rule, holds, broken", [
    ("handle", rules.twice, {"balances": {"ada": 1}}, {"balances": {"ada": 21}}),
    ("handle", rules.missing, {"balances": {"ada": 1}, "next": [5, 0]}, {"balances": {"ada": 1}}),
    ("handle", rules.behind, {}, {"next": [5, 0]}),
    ("pay", rules.twice, {}, {"charges": [["ada-1", "ada", 1]] * 2}),
    ("pay", rules.missing, {}, {"charges": [["ada-2", "ada", 10]]}),
    ("pay", rules.garbled, {}, {"charges": [["ada-1", "ada", 2]]}),
    ("handle", rules.hoards, {"kept": 99}, {"kept": 17, "plan": {"horizon": 4, "log": [[], []]}}),
])
def test_rules_and_their_near_misses(program, rule, holds, broken):
    assert list(rule(run_of(program, **holds))) == []
    assert len(list(rule(run_of(program, **broken)))) == 1


def test_exceptions_are_excused_by_the_fault_that_causes_them_and_by_no_other():
    locked = {"what": "call", "call": "handle", "about": "", "outcome": "fail", "error": "OperationalError",
              "message": "database is locked"}
    fault = {"what": "locked", "fault": True}
    assert list(rules.error(run_of(events=[fault, locked]))) == []
    assert len(list(rules.error(run_of(events=[locked])))) == 1
    assert len(list(rules.error(run_of(events=[fault, {**locked, "message": "no such table"}])))) == 1


# The notebook and its grading.

def test_the_notebook_in_the_repository_is_what_its_source_gives(tmp_path):
    (tmp_path / "source.md").write_bytes((FOLDER / "source.md").read_bytes())
    assert release(tmp_path).read_bytes() == (FOLDER / "exercise.ipynb").read_bytes(), (
        "exercise.ipynb is out of date: python -m exercises.grader.release exercises/idempotent_consumer")


def test_a_learner_sees_neither_solutions_nor_hidden_tests():
    text = notebooks.render(learners(source_of(FOLDER)))
    assert text.count("raise NotImplementedError") == len(FUNCTIONS)
    for hidden in ("SOLUTION", "HIDDEN", "UNSEEN", "fee-{event.id}"):
        assert hidden not in text


def test_the_picture_counts_what_the_notebook_says(capsys):
    def naive(db, record):
        with db:
            db.execute("UPDATE accounts SET balance = balance + ? WHERE account = ?",
                       (record.event.amount, record.event.account))
        record.commit()
    assert picture.effects(naive) is not None
    printed = capsys.readouterr().out
    assert "3 of 10 runs" in printed and printed.count("commit offset") == 3
    picture.effects(reference()["handle"])
    assert "0 of 13 runs" in capsys.readouterr().out


@pytest.mark.parametrize("submission, points", [(solved, 10), (learners, 0)])
def test_the_grader_gives_the_reference_everything_and_the_untouched_notebook_nothing(submission, points, tmp_path):
    path = tmp_path / "exercise.ipynb"
    notebooks.write(submission(source_of(FOLDER)), path)
    result = grade(path, [21])
    assert (result.points, result.possible, result.problem) == (points, 10, "")
    assert result.flags == []
