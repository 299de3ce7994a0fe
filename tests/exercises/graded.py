"""What holds for the checks of every exercise, as tests to inherit.

A test class names its folder, functions and checks; `pytest_generate_tests` has to be imported beside it, so that each
check, mutant and alternative becomes a test. A submission is the reference's cells with a mutant's, as a learner edits.
Each campaign is performed once and looked at by several tests; `python -m tests.bench --full` performs many more.
"""
import contextlib
import importlib
import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import exercises
import nbformat
import pytest
from classroom import notebooks
from exercises.attack import Replayed
from exercises.grader import grading
from exercises.grader.release import about, derived, learners, release, solved, source_of
from exercises.grader.run import Outcome, read_evidence

HOME = Path(exercises.__file__).parent
SEEDS = (11, 12)
STORMS = (1, 2, 3)  # random schedules: one seed may pass a mistake by
KINDS = {"crash": "crashes", "pause": "pauses"}


def pytest_generate_tests(metafunc):
    """A test for each check, mutant or alternative that a test of `Graded` asks for."""
    if metafunc.cls and issubclass(metafunc.cls, Graded):
        for what, values in (("name", metafunc.cls.check.CHECKS), ("mutant", files(metafunc.cls.exercise, "mutants")),
                             ("alternative", files(metafunc.cls.exercise, "alternatives")),
                             ("struck", metafunc.cls.struck), ("shrunk", metafunc.cls.shrunk)):
            if what in metafunc.fixturenames:
                metafunc.parametrize(what, list(values),
                                     ids=lambda value: value if isinstance(value, str) else value[0])


def files(exercise: str, kind: str) -> list[str]:
    """The names of the mutants or the alternatives of an exercise."""
    return sorted(path.stem for path in (HOME / exercise / kind).glob("*.py"))


source = cache(lambda exercise: source_of(HOME / exercise))


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
    return answers(derived(source(exercise), hidden=None), instead)


def with_first_attempts(exercise: str) -> dict:
    """The reference, and beside it the naive functions that the notebook tries first."""
    naive = next(cell.source for cell in source(exercise).cells if cell.source.startswith("def naive"))
    return answers(derived(source(exercise), hidden=None), naive)


def reference(exercise: str, functions: tuple[str, ...]) -> dict:
    """The reference's functions."""
    return {each: submission(exercise)[each] for each in functions}


def chosen(check, name: str, given: dict) -> dict:
    """The functions that a check needs."""
    return {each: given[each] for each in check.CHECKS[name].functions}


def verdict(check, name: str, given: dict, seeds=SEEDS):
    """A check's verdict on some functions."""
    return check.verdict(name, check.attack(name, chosen(check, name, given), seeds).runs)


def misjudged(exercise: str, seeds: tuple[int, ...]) -> list[tuple[str, str]]:
    """Who gets which check's verdict wrong if these are a grading's unseen seeds: the benchmark asks for many."""
    check = importlib.import_module(f"exercises.{exercise}.check")
    asked = [(kind, who, name, "correct") for name in check.CHECKS for kind, who in
             (("", ""), *(("alternatives", each) for each in files(exercise, "alternatives")))]
    asked += [("mutants", who, submission(exercise, "mutants", who)["FAILS"][0], "wrong")
              for who in files(exercise, "mutants")]
    return [(who or "reference", name) for kind, who, name, outcome in asked
            if verdict(check, name, submission(exercise, kind, who), seeds).outcome != outcome]


def without_a_kernel(notebook: str, names: list[str], _limits) -> Outcome:
    """What `run` brings back, from cells run in this process; only for notebooks of the course's own."""
    namespace, cells = {"__name__": "answers"}, []
    with TemporaryDirectory() as folder, contextlib.chdir(folder):
        for cell in notebooks.code_cells(nbformat.reads(notebook, as_version=4)):
            told = {"cell": cell.id, "course": about(cell), "outcome": "passed", "reason": ""}
            try:
                exec(cell.source, namespace)
            except Exception as error:
                told |= {"outcome": "failed", "reason": f"{type(error).__name__}: {error}"}
            cells.append(told)
        return Outcome(cells, {name: read_evidence(Path(folder) / name) for name in names})


class Graded:
    """The tests."""

    exercise: str
    functions: tuple[str, ...]
    check: object
    struck: tuple[tuple[str, str, set], ...]  # a check, its first fault, and all that it must have struck before
    shrunk: tuple[tuple[str, str], ...] = ()  # a mutant and a check at which its failure is shown as small as it gets
    same_reason: set = set()                  # reasons that two mutants share, for a reason of their own
    secrets: tuple[str, ...] = ()             # words of the reference that a learner must not see

    @classmethod
    @cache
    def campaign(cls, name: str):
        """The reference under a check."""
        return cls.check.attack(name, chosen(cls.check, name, submission(cls.exercise)), SEEDS[:1])

    @classmethod
    @cache
    def judged(cls, kind: str, who: str, name: str, *seeds: int):
        """A check's verdict on a mutant or an alternative."""
        return verdict(cls.check, name, submission(cls.exercise, kind, who), seeds)

    def recorded(self, name: str) -> dict:
        """The reference's evidence as the grader reads it."""
        return json.loads(json.dumps(self.campaign(name).as_dict()))

    def test_the_reference_is_correct(self, name):
        assert self.check.verdict(name, self.campaign(name).runs).outcome == "correct"

    def test_differently_written_solutions_are_correct(self, alternative, name):
        result = self.judged("alternatives", alternative, name, 3)
        assert result.outcome == "correct", result

    def test_each_mutant_fails_for_its_own_reason(self, mutant):
        name, rule, words = submission(self.exercise, "mutants", mutant)["FAILS"]
        result = self.judged("mutants", mutant, name, *SEEDS)
        assert result.outcome == "wrong"
        assert (result.finding.rule, words in result.reason) == (rule, True), result

    def test_no_two_mutants_fail_for_the_same_reason(self):
        reasons = [submission(self.exercise, "mutants", mutant)["FAILS"] for mutant in files(self.exercise, "mutants")]
        assert len(reasons) >= 8
        assert {reason for reason in reasons if reasons.count(reason) > 1} == self.same_reason

    def test_matrix_of_submissions_outcomes_and_reasons(self, capsys):
        """Prints the table an instructor wants to see: each submission, its checks, the reason of the first failure."""
        names, table = list(self.check.CHECKS), dict(self.submissions())
        with capsys.disabled():
            print(f"\n{self.exercise}: + correct, - wrong, o not attempted; a mutant meets its own check")
            print(f"{'':<46}{''.join(map('{:>11}'.format, names))}   reason")
            for who, results in table.items():
                first = next((result.reason for result in results.values() if result.reason), "")
                marks = "".join(f"{sign(results.get(name)):>11}" for name in names)
                print(f"{who:<46}{marks}   {first[:150]}")
        for who, results in table.items():
            expected = {"mutant": "wrong", "untouched": "not attempted"}.get(who.split()[0], "correct")
            assert {result.outcome for result in results.values()} == {expected}, who

    def submissions(self):
        """Rows of the matrix: who, and verdicts by check, of a mutant at its own; all have been reached already."""
        yield "reference", {name: self.check.verdict(name, self.campaign(name).runs) for name in self.check.CHECKS}
        for who in files(self.exercise, "alternatives"):
            yield f"alternative {who}", {name: self.judged("alternatives", who, name, 3) for name in self.check.CHECKS}
        stubs = answers(learners(source(self.exercise)))
        yield "untouched", {name: verdict(self.check, name, stubs) for name in self.check.CHECKS}
        for who in files(self.exercise, "mutants"):
            name = submission(self.exercise, "mutants", who)["FAILS"][0]
            yield f"mutant {who}", {name: self.judged("mutants", who, name, *SEEDS)}

    def test_the_judge_agrees_from_the_recorded_evidence_alone(self, name):
        recorded = self.recorded(name)
        assert self.check.judge(name, recorded, SEEDS[:1]).outcome == "correct"
        with pytest.raises(Replayed):
            self.check.judge(name, recorded, (13,))  # evidence for another seed than the grader's
        recorded["runs"].pop()
        with pytest.raises(Replayed):
            self.check.judge(name, recorded, SEEDS[:1])

    def test_evidence_in_which_the_faults_never_struck_is_no_proof(self):
        name = self.struck[0][0]
        recorded = self.recorded(name)
        recorded["runs"][1]["events"] = [event for event in recorded["runs"][1]["events"] if "fault" not in event]
        assert self.check.judge(name, recorded, SEEDS[:1]).finding.rule == "unfired"

    def test_a_fault_at_every_step_of_the_calm_run(self, struck):
        name, fault, before = struck
        calm, *runs = self.campaign(name).runs
        everywhere = runs[:calm.steps]
        assert [run.plan[KINDS[fault]] for run in everywhere] == [[step] for step in range(1, calm.steps + 1)]
        hit = [event["before"] for run in everywhere for event in run.events if event["what"] == fault]
        verbs = {each.split()[0] for each in hit}
        assert len(hit) == calm.steps
        assert before <= verbs | set(hit) and verbs == {each.split()[0] for each in before}

    def test_a_failure_is_shown_in_a_form_that_no_smaller_attack_has(self, shrunk):
        check, (mutant, name) = self.check, shrunk
        given = chosen(check, name, submission(self.exercise, "mutants", mutant))
        found = check.attack(name, given, STORMS).runs[-1]
        small = check.plan_of(check.shrunk(name, given, found))
        rule = check.finding(name, check.EXERCISE.perform(small, given)).rule
        assert rule == check.finding(name, found).rule
        for smaller in check.fewer(small):
            left = check.finding(name, check.EXERCISE.perform(smaller, given))
            assert left is None or left.rule != rule
        assert getattr(check, name)(*given.values(), seeds=STORMS).finding.story

    def test_the_notebook_in_the_repository_is_what_its_source_gives(self, tmp_path):
        folder = HOME / self.exercise
        (tmp_path / "source.md").write_bytes((folder / "source.md").read_bytes())
        assert release(tmp_path).read_bytes() == (folder / "exercise.ipynb").read_bytes(), (
            f"exercise.ipynb is out of date: python -m exercises.grader.release exercises/{self.exercise}")

    def test_a_learner_sees_neither_solutions_nor_hidden_tests(self):
        text = notebooks.render(learners(source(self.exercise)))
        assert text.count("raise NotImplementedError") == len(self.functions)
        for hidden in ("SOLUTION", "HIDDEN", "UNSEEN", *self.secrets):
            assert hidden not in text

    def test_the_grader_gives_the_reference_everything(self, tmp_path):
        result = graded(tmp_path, solved(source(self.exercise)))
        assert (result.points, result.possible, result.problem, result.flags) == (10, 10, "", [])

    def test_the_grader_gives_the_untouched_notebook_nothing(self, tmp_path, monkeypatch):
        monkeypatch.setattr(grading, "run", without_a_kernel)
        result = graded(tmp_path, learners(source(self.exercise)))
        assert (result.points, result.possible, result.problem, result.flags) == (0, 10, "", [])


def graded(folder: Path, nb):
    """A notebook's result for a seed that no other test uses."""
    path = folder / "exercise.ipynb"
    notebooks.write(nb, path)
    return grading.grade(path, [21])


def sign(result) -> str:
    """A verdict as one character; blank where a check was not asked."""
    return {"correct": "+", "wrong": "-", "not attempted": "o"}[result.outcome] if result else ""
