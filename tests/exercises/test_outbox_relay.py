"""The checks of the relays accept what is right and reject each classic mistake for its own reason."""
import copy
import json
import random
from functools import cache
from pathlib import Path

import exercises
import pytest
from classroom import notebooks
from exercises.attack import Replayed
from exercises.grader.grading import grade
from exercises.grader.release import about, derived, learners, release, solved, source_of
from exercises.outbox_relay import Plan, Row, check, judge, perform, picture, rules
from exercises.outbox_relay.wal import Change
from exercises.attack.visibility import CURSORS, Snapshot, census
from exercises.attack.visibility import Row as Seen

FOLDER = Path(exercises.__file__).parent / "outbox_relay"
MUTANTS = sorted(path.stem for path in FOLDER.glob("mutants/*.py"))
ALTERNATIVES = sorted(path.stem for path in FOLDER.glob("alternatives/*.py"))
FUNCTIONS = ("poll", "relay", "cleanup", "follow")
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
    exhaustive = name in ("gap", "order")  # nearly the same schedules for every seed
    assert verdict(name, submission(), range(20, 22 if exhaustive else 30)).outcome == "correct"


@pytest.mark.parametrize("name", check.CHECKS)
@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_differently_written_solutions_are_correct(alternative, name):
    result = verdict(name, submission("alternatives", alternative), (3,) if name in ("gap", "order") else (3, 4))
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
    # To know nothing of gaps and to wait at one for a while: the second needs a transaction that is a little slower.
    assert len(MUTANTS) >= 8 and same == {("gap", "lost", "to a higher position with a higher xid")}


@pytest.mark.parametrize("name", check.CHECKS)
def test_the_stubs_are_not_attempted(name):
    assert verdict(name, answers(learners(source_of(FOLDER)))).outcome == "not attempted"


@pytest.mark.parametrize("name", check.CHECKS)
def test_to_do_nothing_is_wrong(name):
    idle = {"poll": lambda look, cursor: ([], cursor)} | {each: lambda *_: None for each in FUNCTIONS[1:]}
    assert verdict(name, idle, (5,)).finding.rule == ("hoards" if name == "cleanup" else "stalled")


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
        print(f"\n{'+ correct, - wrong':<36}{''.join(f'{name:>9}' for name in names)}   reason")
        for who, results in table.items():
            first = next((result.reason for result in results.values() if result.reason), "")
            marks = (signs[results[name].outcome] if name in results else "" for name in names)
            print(f"{who:<36}{''.join(f'{mark:>9}' for mark in marks)}   {first[:150]}")
    for who, results in table.items():
        assert ("wrong" in {result.outcome for result in results.values()}) == who.startswith("mutant"), who


# The table of cursors.

def cursor_of(name: str):
    """A cursor of the lab as a learner would write it."""
    def poll(look, stored):
        memory = {key: tuple(value) if key == "last" else value for key, value in (stored or {}).items()}
        memory["published"] = {Seen(*row) for row in memory.get("published", ())}
        seen = [Seen(row.position, row.xid, row.aggregate, row.version) for row in look.rows]
        new = CURSORS[name](Snapshot(tuple(seen), look.xmin), memory)
        memory["published"] = sorted(memory["published"])
        return [row for row in look.rows if row.position in {each.position for each in new}], memory
    return poll


@pytest.mark.parametrize("a, b, judge_of", [("SXC", "SXC", "loses"), ("XSC", "XSC", "loses"), ("SXC", "SXR", "loses")])
def test_every_cursor_loses_in_exactly_the_schedules_that_the_lab_counts(a, b, judge_of):
    counted = census(a, b, judge_of)
    for name in CURSORS:
        plans = list(check.every([(a, b)], check.APART, random.Random(1)))
        assert len(plans) == 560
        runs = (perform(plan, {"poll": cursor_of(name)}) for plan in plans)
        broken = [rules.finding(run, (rules.lost, rules.stalled)) for run in runs]
        assert sum(found is not None for found in broken) == counted[name], name


def test_pairs_of_xid_and_position_invert_in_half_of_the_schedules_with_a_lock(capsys):
    picture.every_order(submission("mutants", "xid_then_position")["poll"], "XLSC", "LSXC")
    assert "270 schedules, 135 out of order" in capsys.readouterr().out


# The judge.

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
    recorded = json.loads(json.dumps(campaign("relay", submission()).as_dict()))
    recorded["runs"][1]["events"] = [event for event in recorded["runs"][1]["events"] if "fault" not in event]
    assert judge("relay", recorded, SEEDS).finding.rule == "unfired"


@pytest.mark.parametrize("name, kind, fault", [("relay", "crashes", "crash"), ("rivals", "pauses", "pause")])
def test_a_fault_at_every_step_of_the_calm_run(name, kind, fault):
    runs = campaign(name, submission(), (7,)).runs
    calm = runs[0]
    assert [run.plan[kind] for run in runs[1:calm.steps + 1]] == [[step] for step in range(1, calm.steps + 1)]
    hit = [event for run in runs[1:calm.steps + 1] for event in run.events if event["what"] == fault]
    assert len(hit) == calm.steps
    assert {event["before"].split()[0] for event in hit} == {"claim", "publish", "mark", "release"}


@pytest.mark.parametrize("mutant", ["last_position_below_xmin", "waits_for_xmin", "takes_fenced_for_done"])
def test_a_failure_is_shown_in_a_form_that_no_smaller_attack_has(mutant):
    given = submission("mutants", mutant)
    name, rule, _ = given["FAILS"]
    functions = {each: given[each] for each in check.CHECKS[name].functions}
    found = check.attack(name, functions, SEEDS).runs[-1]
    small = check.plan_of(check.shrunk(name, functions, found))
    for smaller in check.fewer(small):
        left = check.finding(name, perform(smaller, functions))
        assert left is None or left.rule != rule
    assert check.finding(name, perform(small, functions)).story


# Near misses: evidence just inside a rule, then just outside.

ROWS = tuple(Row(position, 700 + position, "ada", position) for position in (1, 2, 3))
LOG = tuple((Change("insert", 10 * row.position, row), Change("commit", 10 * row.position + 5)) for row in ROWS)


def run_of(program: str, **changes):
    """A calm run of the reference, with something changed."""
    plan = Plan("follow", log=LOG) if program == "follow" else Plan(program, rows=ROWS)
    run = copy.deepcopy(perform(plan, reference()))
    for name, value in changes.items():
        setattr(run, name, value(getattr(run, name)))
    return run


@pytest.mark.parametrize("rule, program, changes", [
    (rules.lost, "relay", {"published": lambda log: log[:-1]}),
    (rules.lost, "follow", {"published": lambda log: log[:-1]}),
    (rules.stalled, "relay", {"published": lambda log: log[:-1], "done": lambda done: done[:-1]}),
    (rules.inverted, "relay", {"published": lambda log: [log[1], log[0], log[2]]}),
    (rules.unrecognised, "relay", {"published": lambda log: [*log, ["another name", log[0][1]]]}),
    (rules.unrecognised, "follow", {"published": lambda log: [*log[:-1], [log[0][0], log[-1][1]]]}),
    (rules.repeated, "relay", {"events": lambda events: [*events, events[-2] | {"publishes": "ada-1"}]}),
    (rules.hoards, "relay", {"kept": lambda kept: kept + 1}),
    (rules.hoards, "follow", {"kept": lambda kept: kept + 1}),
])
def test_rules_and_their_near_misses(rule, program, changes):
    assert list(rule(run_of(program))) == []
    assert len(list(rule(run_of(program, **changes)))) == 1


@pytest.mark.parametrize("age, broken", [(59.9, 1), (60, 0)])
def test_a_row_is_kept_for_exactly_as_long_as_was_asked(age, broken):
    deleted = {"who": "cleanup", "what": "delete", "deleted": [["ada-1", 100, 100 - age]]}
    run = run_of("cleanup", events=lambda _: [deleted])
    assert len(list(rules.hasty(run))) == broken and not list(rules.lost(run))


@pytest.mark.parametrize("fault, copies, broken", [
    ({"what": "crash"}, 2, 0), ({"what": "pause", "seconds": 60}, 2, 0), ({"what": "pause", "seconds": 5}, 2, 1),
    ({"what": "crash"}, 3, 1), ({"what": "crash", "who": "relay-2"}, 2, 1)])
def test_a_copy_is_excused_once_by_a_fault_of_its_publisher(fault, copies, broken):
    publish = {"who": "relay-1", "what": "publish ada-1", "publishes": "ada-1"}
    events = [publish, {"who": "relay-1", "fault": True} | fault, *[publish] * (copies - 1)]
    run = run_of("relay", events=lambda _: events, published=lambda log: [log[0]] * copies)
    assert len(list(rules.repeated(run))) == broken


def test_the_same_run_twice_is_the_same_run():
    plan = Plan("relay", rows=ROWS, crashes=(9,), pauses=(2,), seconds=60, losses=((2, "confirmation lost"),))
    assert perform(plan, reference()) == perform(plan, reference())


# The notebook and its grading.

def test_the_notebook_in_the_repository_is_what_its_source_gives(tmp_path):
    (tmp_path / "source.md").write_bytes((FOLDER / "source.md").read_bytes())
    assert release(tmp_path).read_bytes() == (FOLDER / "exercise.ipynb").read_bytes(), (
        "exercise.ipynb is out of date: python -m exercises.grader.release exercises/outbox_relay")


def test_a_learner_sees_neither_solutions_nor_hidden_tests():
    text = notebooks.render(learners(source_of(FOLDER)))
    assert text.count("raise NotImplementedError") == len(FUNCTIONS)
    for hidden in ("SOLUTION", "HIDDEN", "UNSEEN", "above = [row.position"):
        assert hidden not in text


def test_the_pictures_count_what_the_text_asks_for(capsys):
    cells = [cell.source for cell in source_of(FOLDER).cells]
    naive = next(source for source in cells if source.startswith("def naive"))
    below = next(source for source in cells if source.startswith("def below_xmin")).split("\n\n\n")[0]
    given = answers(derived(source_of(FOLDER), hidden=None), f"{naive}\n\n{below}")
    for poll, counts in (("naive", "560 schedules, 68 lost"), ("below_xmin", "560 schedules, 40 lost")):
        assert picture.every_order(given[poll]) is not None
        assert counts in capsys.readouterr().out
    picture.every_order(given["poll"], "XLSC", "LSXC")
    assert "270 schedules, all fine" in capsys.readouterr().out


@pytest.mark.parametrize("kind, points", [(solved, 10), (learners, 0)])
def test_the_grader_gives_the_reference_everything_and_the_untouched_notebook_nothing(kind, points, tmp_path):
    path = tmp_path / "exercise.ipynb"
    notebooks.write(kind(source_of(FOLDER)), path)
    result = grade(path, [21])
    assert (result.points, result.possible, result.problem) == (points, 10, "")
    assert result.flags == []
