"""The checks of the choreographed saga accept what is right and reject each classic mistake for its own reason."""
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
from exercises.saga_choreography import Order, Plan, check, emit, judge, perform, picture, rules
from exercises.saga_choreography.services import Carrier, event_of

FOLDER = Path(exercises.__file__).parent / "saga_choreography"
MUTANTS = sorted(path.stem for path in FOLDER.glob("mutants/*.py"))
ALTERNATIVES = sorted(path.stem for path in FOLDER.glob("alternatives/*.py"))
FUNCTIONS = ("stock", "payment", "orders", "overdue")
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


@cache
def judged(kind: str, which: str, name: str, *seeds):
    """The verdict on the reference, a mutant or an alternative: two tests look at each."""
    return verdict(name, submission(kind, which) if kind else submission(), seeds)


@pytest.mark.parametrize("name", check.CHECKS)
def test_the_reference_is_correct(name):
    assert judged("", "", name, 20).outcome == "correct"


@pytest.mark.parametrize("name", check.CHECKS)
@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_differently_written_solutions_are_correct(alternative, name):
    result = verdict(name, submission("alternatives", alternative), (3,))
    assert result.outcome == "correct", result


@pytest.mark.parametrize("mutant", MUTANTS)
def test_each_mutant_fails_for_its_own_reason(mutant):
    name, rule, words = submission("mutants", mutant)["FAILS"]
    result = judged("mutants", mutant, name, *SEEDS)
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
    names = [name for name in check.CHECKS if name != "storm"]
    # A mutant meets the check that is to find it; all others would take minutes.
    table = {"reference": {name: judged("", "", name, 20) for name in names}} | {
        f"mutant {mutant}": {name: judged("mutants", mutant, name, *SEEDS)} for mutant in MUTANTS
        for name in submission("mutants", mutant)["FAILS"][:1]}
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
    recorded = json.loads(json.dumps(campaign("crash", submission(), SEEDS[:1]).as_dict()))
    recorded["runs"][3]["events"] = [event for event in recorded["runs"][3]["events"] if "fault" not in event]
    assert judge("crash", recorded, SEEDS[:1]).finding.rule == "unfired"


@pytest.mark.parametrize("name, kind, fault", [("crash", "crashes", "crash"), ("rivals", "pauses", "pause")])
def test_a_fault_at_every_step_of_the_calm_run(name, kind, fault):
    runs = campaign(name, submission(), (7,)).runs
    calm = runs[0]
    assert [run.plan[kind] for run in runs[1:calm.steps + 1]] == [[step] for step in range(1, calm.steps + 1)]
    hit = [event for run in runs[1:calm.steps + 1] for event in run.events if event["what"] == fault]
    assert len(hit) == calm.steps
    assert {"COMMIT", "INSERT outbox", "UPDATE stock", "ack o1 OrderPlaced"} <= {event["before"] for event in hit}


def test_a_failing_storm_is_shown_in_a_form_that_no_smaller_attack_has():
    given = {name: submission("mutants", "no_tombstone")[name] for name in check.CHECKS["storm"].functions}
    found = check.attack("storm", given, (1,)).runs[-1]
    small = check.plan_of(check.shrunk("storm", given, found))
    rule = check.finding("storm", perform(small, given)).rule
    for smaller in check.fewer(small):
        left = check.finding("storm", perform(smaller, given))
        assert left is None or left.rule != rule
    assert check.storm(*given.values()).finding.story


# The world: what the bus and the carrier do.

ORDER = Order("o1", "ada", "tea", 40, 0)


def deaf(db, event):
    """A service that hears and says nothing."""


@pytest.mark.parametrize("kind, seconds, times", [("lost", 0, []), ("late", 4, [5]), ("again", 3, [1, 4])])
def test_what_the_faults_do(kind, seconds, times):
    run = perform(Plan((ORDER,), faults=(("o1 OrderPlaced", "stock", kind, seconds),)),
                  {"stock": deaf, "payment": deaf, "orders": deaf})
    second, heard = "", []
    for event in run.events:
        second = event["what"] if event["who"] == "the clock" else second
        heard += [second] if event["what"] == "call" else []
    assert heard == [f"second {number}" for number in times]


def test_an_event_comes_again_until_it_is_handled():
    def stock(db, event):
        db.execute("INSERT INTO inbox VALUES ((SELECT COUNT(*) FROM inbox))")
        db.commit()
        if db.execute("SELECT COUNT(*) FROM inbox").fetchone()[0] < 3:
            raise ValueError("not yet")
    run = perform(Plan((ORDER,)), {"stock": stock, "payment": deaf, "orders": deaf})
    assert [e["outcome"] for e in run.events if e["what"] == "call"] == ["fail", "fail", "ok"]


@pytest.mark.parametrize("first, second, answer", [
    ("PaymentTaken", "OrderCancelled", "Shipped"), ("OrderCancelled", "OrderCancelled", "ShippingRejected"),
    ("OrderCancelled", "PaymentTaken", None), ("PaymentTaken", "PaymentTaken", None)])
def test_the_carrier_never_changes_its_mind_and_answers_whoever_cancels(first, second, answer):
    carrier = Carrier(())
    said = carrier.handle(event_of(ORDER, first))
    again = carrier.handle(event_of(ORDER, second))
    assert (again and again.type) == answer and (again is None or again.type == said.type)


def test_an_event_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="no event is called 'StockReleased'"):
        emit(None, ORDER, "StockReleased")


def test_the_same_run_twice_is_the_same_run():
    plan = Plan((ORDER, Order("o2", "bob", "jam", 10, 1)), crashes=(5,), pauses=(9,),
                faults=(("o1 StockReserved", "payment", "late", 16),))
    assert perform(plan, reference()) == perform(plan, reference())


# Near misses: evidence just inside a rule, then just outside.

def run_of(*rejects, **changes):
    """A calm run of the reference with one order, with something changed."""
    run = copy.deepcopy(perform(Plan((ORDER,), pieces=5, purse=100, rejects=rejects), reference()))
    for name, value in changes.items():
        setattr(run, name, value)
    return run


NO = ("o1", "shipping")


@pytest.mark.parametrize("rule, rejects, change", [
    (rules.impossible, (), {"range": {"tea": [-1, 5], "ada": [0, 100]}}),
    (rules.impossible, (), {"range": {"tea": [4, 6], "ada": [0, 100]}}),
    (rules.twice, (), {"after": {"stock": {"tea": 3}, "payment": {"ada": 60}}}),
    (rules.leaked, (NO,), {"after": {"stock": {"tea": 5}, "payment": {"ada": 60}}}),
    (rules.unpaid, (), {"after": {"stock": {"tea": 4}, "payment": {"ada": 100}}}),
    (rules.torn, (), {"shipped": []}),
    (rules.torn, (NO,), {"shipped": ["o1"]}),
    (rules.repeats, (), {"published": [[1, "stock", "StockReserved", "o1"]] * 2}),
    (rules.hasty, (), {"published": [[15, "orders", "OrderCancelled", "o1"]], "ended": {}}),
    (rules.hasty, (), {"published": [[16, "orders", "OrderCancelled", "o1"]], "ended": {"o1": 15}}),
    (rules.stranded, (), {"published": [[16, "orders", "OrderCancelled", "o1"]]}),
    (rules.unfinished, (), {"orders": {"o1": "pending"}}),
    (rules.unfinished, (), {"orders": {}}),
    (rules.needless, (), {"orders": {"o1": "failed"}}),
])
def test_rules_and_their_near_misses(rule, rejects, change):
    assert list(rule(run_of(*rejects))) == []
    assert len(list(rule(run_of(*rejects, **change)))) == 1


def test_a_cancellation_one_second_after_the_deadline_is_neither_hasty_nor_late():
    lost = (("o1 PaymentTaken", "shipping", "lost", 0),)
    run = perform(Plan((ORDER,), faults=lost), reference())
    assert [16, "orders", "OrderCancelled", "o1"] in run.published and rules.finding(run) is None


# The notebook and its grading.

def test_the_notebook_in_the_repository_is_what_its_source_gives(tmp_path):
    (tmp_path / "source.md").write_bytes((FOLDER / "source.md").read_bytes())
    assert release(tmp_path).read_bytes() == (FOLDER / "exercise.ipynb").read_bytes(), (
        "exercise.ipynb is out of date: python -m exercises.grader.release exercises/saga_choreography")


def test_a_learner_sees_neither_solutions_nor_hidden_tests():
    text = notebooks.render(learners(source_of(FOLDER)))
    assert text.count("raise NotImplementedError") == len(FUNCTIONS)
    for hidden in ("SOLUTION", "HIDDEN", "UNSEEN", "refunded"):
        assert hidden not in text


def test_the_picture_counts_what_the_notebook_lets_one_predict(capsys):
    nb = source_of(FOLDER)
    naive = next(cell.source for cell in nb.cells if cell.source.startswith("def naive"))
    given = answers(derived(nb, hidden=None), naive)
    assert picture.effects(given["naive_stock"], given["naive_payment"], given["naive_orders"]) is not None
    assert "in 8 of 20 runs" in capsys.readouterr().out
    picture.effects(given["stock"], given["payment"], given["orders"])
    assert "in 0 of" in capsys.readouterr().out


@pytest.mark.parametrize("kind, points", [(solved, 10), (learners, 0)])
def test_the_grader_gives_the_reference_everything_and_the_untouched_notebook_nothing(kind, points, tmp_path):
    path = tmp_path / "exercise.ipynb"
    notebooks.write(kind(source_of(FOLDER)), path)
    result = grade(path, [21])
    assert (result.points, result.possible, result.problem) == (points, 10, "")
    assert result.flags == []
