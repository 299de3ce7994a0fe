"""What holds for the checks of every exercise, as tests to inherit.

A test class names its folder, functions and checks; `pytest_generate_tests` has to be imported beside it, so that each
check, mutant and alternative becomes a test. A submission is the reference's cells with a mutant's, as a learner edits.
"""
import json
from functools import cache
from pathlib import Path

import exercises
import pytest
from classroom import notebooks
from exercises.attack import Replayed
from exercises.grader.grading import grade
from exercises.grader.release import about, derived, learners, release, solved, source_of

HOME = Path(exercises.__file__).parent
STORMS = (1, 2, 3)  # random schedules: one seed may pass a mistake by


def pytest_generate_tests(metafunc):
    """A test for each check, mutant or alternative that a test of `Graded` asks for."""
    if metafunc.cls and issubclass(metafunc.cls, Graded):
        for what, values in (("name", metafunc.cls.check.CHECKS), ("mutant", metafunc.cls.files("mutants")),
                             ("alternative", metafunc.cls.files("alternatives"))):
            if what in metafunc.fixturenames:
                metafunc.parametrize(what, list(values))


def answers(nb, instead: str = "") -> dict:
    """What a notebook defines in its answer cells, with some definitions replaced as by a learner who edits them."""
    namespace = {"__name__": "answers"}
    exec(next(cell.source for cell in notebooks.code_cells(nb) if "exercises." in cell.source), namespace)
    for cell in nb.cells:
        if "answer" in about(cell):
            exec(cell.source, namespace)
    exec(instead, namespace)
    return namespace


@cache
def submission(exercise: str, kind: str = "", name: str = "") -> dict:
    """The reference of an exercise, or the reference with the functions of a mutant or an alternative."""
    instead = (HOME / exercise / kind / f"{name}.py").read_text(encoding="utf-8") if kind else ""
    return answers(derived(source_of(HOME / exercise), hidden=None), instead)


def reference(exercise: str, functions: tuple[str, ...]) -> dict:
    """The reference's functions."""
    return {each: submission(exercise)[each] for each in functions}


class Graded:
    """The tests; `matrix` names the checks at which every mutant is looked at besides its own."""

    exercise: str
    functions: tuple[str, ...]
    check: object
    seeds, many_seeds = (11, 12), range(20, 23)
    matrix: tuple[str, ...] = ()
    struck: tuple[str, str, set]           # a check, its first fault, and steps before which it must have struck
    storm_mutant: str
    same_reason: set = set()               # reasons that two mutants share, for a reason of their own
    secrets: tuple[str, ...] = ()          # words of the reference that a learner must not see

    @classmethod
    def files(cls, kind: str) -> list[str]:
        return sorted(path.stem for path in (HOME / cls.exercise).glob(f"{kind}/*.py"))

    def campaign(self, name: str, given: dict, seeds=None):
        needed = self.check.CHECKS[name].functions
        return self.check.attack(name, {each: given[each] for each in needed}, seeds or self.seeds)

    def verdict(self, name: str, given: dict, seeds=None):
        """A check's verdict on some functions."""
        return self.check.verdict(name, self.campaign(name, given, seeds).runs)

    def test_the_reference_is_correct_for_many_seeds(self, name):
        assert self.verdict(name, submission(self.exercise), self.many_seeds).outcome == "correct"

    def test_differently_written_solutions_are_correct(self, alternative, name):
        result = self.verdict(name, submission(self.exercise, "alternatives", alternative), (3,))
        assert result.outcome == "correct", result

    def test_each_mutant_fails_for_its_own_reason(self, mutant):
        given = submission(self.exercise, "mutants", mutant)
        name, rule, words = given["FAILS"]
        result = self.verdict(name, given)
        assert result.outcome == "wrong"
        assert (result.finding.rule, words in result.reason) == (rule, True), result

    def test_no_two_mutants_fail_for_the_same_reason(self):
        reasons = [submission(self.exercise, "mutants", mutant)["FAILS"] for mutant in self.files("mutants")]
        assert len(reasons) >= 8
        assert {reason for reason in reasons if reasons.count(reason) > 1} == self.same_reason

    def test_the_stubs_are_not_attempted(self, name):
        assert self.verdict(name, answers(learners(source_of(HOME / self.exercise)))).outcome == "not attempted"

    def test_matrix_of_submissions_outcomes_and_reasons(self, capsys):
        """Prints the table an instructor wants to see: each submission, its checks, the reason of the first failure."""
        names = [name for name in self.check.CHECKS if name != "storm"]
        table = {who: {name: self.verdict(name, given) for name in names if asked is None or name in asked}
                 for who, given, asked in self.submissions()}
        with capsys.disabled():
            print(f"\n{self.exercise}: + correct, - wrong, o not attempted")
            print(f"{'':<46}{''.join(map('{:>11}'.format, names))}   reason")
            for who, results in table.items():
                first = next((result.reason for result in results.values() if result.reason), "")
                marks = "".join(f"{sign(results.get(name)):>11}" for name in names)
                print(f"{who:<46}{marks}   {first[:150]}")
        expected = {"mutant": "wrong", "untouched": "not attempted"}
        for who, results in table.items():
            outcomes = {result.outcome for result in results.values()}
            assert expected.get(who.split()[0], "correct") in outcomes, who
            assert who.startswith("mutant") or len(outcomes) == 1, who

    def submissions(self):
        """Rows of the matrix: who, the functions, the checks they meet (None: all; all for everybody takes minutes)."""
        yield "reference", submission(self.exercise), None
        yield "untouched", answers(learners(source_of(HOME / self.exercise))), None
        for alternative in self.files("alternatives"):
            yield f"alternative {alternative}", submission(self.exercise, "alternatives", alternative), self.matrix
        for mutant in self.files("mutants"):
            given = submission(self.exercise, "mutants", mutant)
            yield f"mutant {mutant}", given, (*self.matrix, given["FAILS"][0])

    def test_the_judge_agrees_from_the_recorded_evidence_alone(self, name):
        recorded = json.loads(json.dumps(self.campaign(name, submission(self.exercise), (11,)).as_dict()))
        assert self.check.judge(name, recorded, (11,)).outcome == "correct"
        with pytest.raises(Replayed):
            self.check.judge(name, recorded, (13,))  # evidence for another seed than the grader's
        recorded["runs"].pop()
        with pytest.raises(Replayed):
            self.check.judge(name, recorded, (11,))

    def test_evidence_in_which_the_faults_never_struck_is_no_proof(self):
        name = self.struck[0]
        recorded = json.loads(json.dumps(self.campaign(name, submission(self.exercise)).as_dict()))
        recorded["runs"][3]["events"] = [event for event in recorded["runs"][3]["events"] if "fault" not in event]
        assert self.check.judge(name, recorded, self.seeds).finding.rule == "unfired"

    def test_a_fault_at_every_step_of_the_calm_run(self):
        name, fault, before = self.struck
        calm, *runs = self.campaign(name, submission(self.exercise), (7,)).runs
        everywhere = runs[:calm.steps]
        assert [run.plan["crashes"] for run in everywhere] == [[step] for step in range(1, calm.steps + 1)]
        hit = [event for run in everywhere for event in run.events if event["what"] == fault]
        assert len(hit) == calm.steps and before <= {event["before"] for event in hit}

    def test_a_failing_storm_is_shown_in_a_form_that_no_smaller_attack_has(self):
        check, wrong = self.check, submission(self.exercise, "mutants", self.storm_mutant)
        given = {name: wrong[name] for name in check.CHECKS["storm"].functions}
        found = check.attack("storm", given, STORMS).runs[-1]
        small = check.plan_of(check.shrunk("storm", given, found))
        rule = check.finding("storm", check.EXERCISE.perform(small, given)).rule
        for smaller in check.fewer(small):
            left = check.finding("storm", check.EXERCISE.perform(smaller, given))
            assert left is None or left.rule != rule
        assert check.storm(*given.values(), seeds=STORMS).finding.story

    def test_the_notebook_in_the_repository_is_what_its_source_gives(self, tmp_path):
        folder = HOME / self.exercise
        (tmp_path / "source.md").write_bytes((folder / "source.md").read_bytes())
        assert release(tmp_path).read_bytes() == (folder / "exercise.ipynb").read_bytes(), (
            f"exercise.ipynb is out of date: python -m exercises.grader.release exercises/{self.exercise}")

    def test_a_learner_sees_neither_solutions_nor_hidden_tests(self):
        text = notebooks.render(learners(source_of(HOME / self.exercise)))
        assert text.count("raise NotImplementedError") == len(self.functions)
        for hidden in ("SOLUTION", "HIDDEN", "UNSEEN", *self.secrets):
            assert hidden not in text

    @pytest.mark.parametrize("kind, points", [(solved, 10), (learners, 0)])
    def test_the_grader_gives_the_reference_everything_and_the_untouched_notebook_nothing(self, kind, points, tmp_path):
        path = tmp_path / "exercise.ipynb"
        notebooks.write(kind(source_of(HOME / self.exercise)), path)
        result = grade(path, [21])
        assert (result.points, result.possible, result.problem) == (points, 10, "")
        assert result.flags == []


def sign(result) -> str:
    """A verdict as one character; blank where a check was not asked."""
    return {"correct": "+", "wrong": "-", "not attempted": "o"}[result.outcome] if result else ""
