"""The checks of the event store accept what is right and reject each classic mistake for its own reason."""
import copy
import json
from functools import cache
from pathlib import Path

import exercises
import pytest
from classroom import notebooks
from exercises.attack import Replayed
from exercises.event_sourcing import Event, Plan, check, judge, perform, picture, rules
from exercises.event_sourcing.history import SCHEMA, Stored, aged, as_amount, cents_of, current, state_after
from exercises.grader.grading import grade
from exercises.grader.release import about, derived, learners, release, solved, source_of

FOLDER = Path(exercises.__file__).parent / "event_sourcing"
MUTANTS = sorted(path.stem for path in FOLDER.glob("mutants/*.py"))
ALTERNATIVES = sorted(path.stem for path in FOLDER.glob("alternatives/*.py"))
FUNCTIONS = ("append", "evolve", "upcast", "load", "snapshot", "withdraw")
SEEDS = (11, 12)


def answers(nb, instead: str = "") -> dict:
    """What a notebook defines in its answer cells, with some definitions replaced as by a learner who edits them."""
    namespace = {"__name__": "answers"}
    imports = next(cell.source for cell in nb.cells if cell.source.startswith("import json"))
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


def changed(given: dict) -> set[str]:
    """The functions that a submission has written differently from the reference."""
    return {each for each in FUNCTIONS if given[each].__code__ != submission()[each].__code__}


def campaign(name: str, given: dict, seeds=SEEDS):
    return check.attack(name, {each: given[each] for each in check.CHECKS[name].functions}, seeds)


def verdict(name: str, given: dict, seeds=SEEDS):
    """A check's verdict on some functions."""
    return check.verdict(name, campaign(name, given, seeds).runs)


@pytest.mark.parametrize("name", check.CHECKS)
def test_the_reference_is_correct_for_many_seeds(name):
    assert verdict(name, submission(), range(20, 26)).outcome == "correct"


@pytest.mark.parametrize("name", check.CHECKS)
@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_differently_written_solutions_are_correct(alternative, name):
    result = verdict(name, submission("alternatives", alternative), (3, 4))
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
    same = {reason for reason in reasons if reasons.count(reason) > 1}
    # To take the version late and to decide on an old state are one mistake in two places.
    assert len(MUTANTS) >= 8 and same == {("withdraw", "overdrawn", "before BEGIN")}


@pytest.mark.parametrize("name", check.CHECKS)
def test_the_stubs_are_not_attempted(name):
    assert verdict(name, answers(learners(source_of(FOLDER)))).outcome == "not attempted"


def test_matrix_of_submissions_outcomes_and_reasons(capsys):
    """Prints the table an instructor wants to see: every submission, every check, the reason of the first failure."""
    rows = {"reference": submission()} | {f"mutant {name}": submission("mutants", name) for name in MUTANTS}
    names = [name for name in check.CHECKS if name != "storm"]
    # A check whose functions are the reference's own has said what it has to say in the row above.
    table = {who: {name: verdict(name, given, (5,)) for name in names
                   if who == "reference" or changed(given) & set(check.CHECKS[name].functions)}
             for who, given in rows.items()}
    signs = {"correct": "+", "wrong": "-"}
    with capsys.disabled():
        print(f"\n{'+ correct, - wrong':<36}{''.join(f'{name:>10}' for name in names)}   reason")
        for who, results in table.items():
            first = next((result.reason for result in results.values() if result.reason), "")
            marks = (signs[results[name].outcome] if name in results else "" for name in names)
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
    recorded = json.loads(json.dumps(campaign("append", submission()).as_dict()))
    recorded["runs"][3]["events"] = [event for event in recorded["runs"][3]["events"] if "fault" not in event]
    assert judge("append", recorded, SEEDS).finding.rule == "unfired"


@pytest.mark.parametrize("name, kind, fault", [("append", "crashes", "crash"), ("writers", "pauses", "pause")])
def test_a_fault_at_every_step_of_the_calm_run(name, kind, fault):
    runs = campaign(name, submission(), (7,)).runs
    calm = runs[0]
    assert [run.plan[kind] for run in runs[1:calm.steps + 1]] == [[step] for step in range(1, calm.steps + 1)]
    hit = [event for run in runs[1:calm.steps + 1] for event in run.events if event["what"] == fault]
    assert len(hit) == calm.steps and {event["before"] for event in hit} == {"BEGIN", "INSERT events", "COMMIT"}


def test_a_failing_storm_is_shown_in_a_form_that_no_smaller_attack_has():
    given = {name: submission("mutants", "commits_each_event")[name] for name in check.CHECKS["storm"].functions}
    found = check.attack("storm", given, (1,)).runs[-1]
    small = check.plan_of(check.shrunk("storm", given, found))
    rule = check.finding("storm", perform(small, given)).rule
    for smaller in check.fewer(small):
        left = check.finding("storm", perform(smaller, given))
        assert left is None or left.rule != rule
    assert check.storm(*given.values()).finding.story


# The truth the functions are compared with.

@pytest.mark.parametrize("cents", [0, 5, 29, 57, 115, 1999, 100_001])
def test_an_amount_and_its_cents_are_each_other(cents):
    assert cents_of(as_amount(cents)) == cents


def test_an_aged_event_means_what_it_meant():
    event = Stored("ada", 1, "x", "deposited", SCHEMA, {"cents": 29, "channel": "unknown"})
    assert aged(event, 1).data == {"amount": "0.29"} and aged(event, 2).data == {"cents": 29}
    assert {json.dumps(current("deposited", n, aged(event, n).data)) for n in (1, 2, 3)} == {json.dumps(event.data)}


# Near misses: evidence just inside a rule, then just outside.

ADA = (Stored("ada", 0, "o", "opened", SCHEMA, {"owner": "ada"}),
       Stored("ada", 1, "d", "deposited", SCHEMA, {"cents": 100, "channel": "app"}))
TAKE = ("withdraw", "w", "ada", 60)
PUT = ("append", "ada", 2, (Event("p", "renamed", {"owner": "bob"}), Event("q", "renamed", {"owner": "cyd"})))


def run_of(*orders, **changes):
    """A calm run of the reference with these orders, with something changed."""
    run = copy.deepcopy(perform(Plan(ADA, (orders, ())), reference()))
    for name, value in changes.items():
        setattr(run, name, value(getattr(run, name)) if callable(value) else value)
    return run


@pytest.mark.parametrize("rule, orders, change", [
    (rules.torn, (PUT,), lambda store: store[:-1]),
    (rules.altered, (PUT,), lambda store: [["ada", 0, "o", "opened", 3, '{"owner": "eve"}'], *store[1:]]),
    (rules.altered, (PUT,), lambda store: store[1:]),
    (rules.doubled, (PUT,), lambda store: [*store, ["ada", 4, "q", "renamed", 3, "{}"]]),
    (rules.gaps, (PUT,), lambda store: [*store, ["ada", 5, "z", "renamed", 3, "{}"]]),
    (rules.misplaced, (PUT,), lambda store: store[:2] + [["ada", 2, "p", "renamed", 3, "{}"], store[3]]),
    (rules.overdrawn, (TAKE,), lambda store: store[:2] + [["ada", 2, "w", "withdrawn", 3, '{"cents": 101}']]),
    (rules.mistaken, (TAKE,), lambda store: store[:-1]),
])
def test_rules_of_the_store_and_their_near_misses(rule, orders, change):
    assert list(rule(run_of(*orders))) == []
    assert len(list(rule(run_of(*orders, store=change)))) == 1


@pytest.mark.parametrize("rule, order, change", [
    (rules.refused, PUT, {"outcome": "fail", "error": "Conflict"}),
    (rules.meaning, ("load", "ada"), {"returned": [2, {"owner": "ada", "balance": 99, "withdrawals": 0}]}),
    (rules.meaning, ("load", "ada"), {"returned": [1, state_after(ADA[:1])]}),
    (rules.meaning, ("upcast", "renamed", 1, {"owner": "x"}), {"returned": {"owner": "y"}}),
    (rules.mistaken, TAKE, {"returned": False}),
    (rules.mistaken, ("withdraw", "w", "ada", 101), {"returned": True}),
])
def test_rules_of_answers_and_their_near_misses(rule, order, change):
    assert list(rule(run_of(order))) == []
    assert len(list(rule(run_of(order, answers=lambda answers: [answers[0] | change])))) == 1


def test_a_conflict_is_just_if_the_expected_version_was_taken_or_far_ahead():
    taken = ("append", "ada", 1, PUT[3])
    ahead = ("append", "ada", 7, PUT[3])
    run = run_of(taken, ahead)
    assert [answer["error"] for answer in run.answers] == ["Conflict", "Conflict"] and not list(rules.refused(run))


def test_the_same_run_twice_is_the_same_run():
    plan = Plan(ADA, ((TAKE, ("snapshot", "ada")), (PUT,)), crashes=(5,), pauses=(2,), lost=(1,), stale=True)
    assert perform(plan, reference()) == perform(plan, reference())


# The notebook and its grading.

def test_the_notebook_in_the_repository_is_what_its_source_gives(tmp_path):
    (tmp_path / "source.md").write_bytes((FOLDER / "source.md").read_bytes())
    assert release(tmp_path).read_bytes() == (FOLDER / "exercise.ipynb").read_bytes(), (
        "exercise.ipynb is out of date: python -m exercises.grader.release exercises/event_sourcing")


def test_a_learner_sees_neither_solutions_nor_hidden_tests():
    text = notebooks.render(learners(source_of(FOLDER)))
    assert text.count("raise NotImplementedError") == len(FUNCTIONS)
    for hidden in ("SOLUTION", "HIDDEN", "UNSEEN", "REPLACE INTO snapshots"):
        assert hidden not in text


def test_the_picture_shows_the_overdraft_and_then_none(capsys):
    nb = source_of(FOLDER)
    naive = next(cell.source for cell in nb.cells if cell.source.startswith("def naive"))
    given = answers(derived(nb, hidden=None), naive)
    assert picture.balances(given["naive"]) is not None
    assert "naive: in 1 of 3 runs the account is overdrawn" in capsys.readouterr().out
    picture.balances(given["withdraw"], **{each: given[each] for each in ("append", "evolve", "upcast", "load")})
    assert "withdraw: in 0 of" in capsys.readouterr().out


@pytest.mark.parametrize("kind, points", [(solved, 10), (learners, 0)])
def test_the_grader_gives_the_reference_everything_and_the_untouched_notebook_nothing(kind, points, tmp_path):
    path = tmp_path / "exercise.ipynb"
    notebooks.write(kind(source_of(FOLDER)), path)
    result = grade(path, [21])
    assert (result.points, result.possible, result.problem) == (points, 10, "")
    assert result.flags == []
