"""Grades one submission: which exercise it is, what its checks are worth, and the reason for every lost point."""
import importlib
import json
import re
import secrets
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import exercises
import nbformat

from .assemble import assemble
from .lint import flags
from .release import about, checks, source_of
from .run import Limits, Outcome, run

HOME = Path(exercises.__file__).parent
NAMED = re.compile(r'"exercise":\s*"([\w-]+)"')


@dataclass
class Mark:
    """One check: its outcome (`correct`, `wrong`, `not attempted`), points and, if some are missing, the reason."""
    check: str
    outcome: str
    points: float
    possible: float
    reason: str = ""


@dataclass
class Result:
    """One graded submission. `problem` says why it could not be graded; then there are no points, not zero points."""
    path: str
    exercise: str = ""
    marks: list[Mark] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    seconds: float = 0
    problem: str = ""

    @property
    def points(self) -> float | None:
        return None if self.problem else sum(mark.points for mark in self.marks)

    @property
    def possible(self) -> float | None:
        return None if self.problem else sum(mark.possible for mark in self.marks)

    @property
    def full(self) -> bool:
        return not self.problem and self.points == self.possible


def unseen() -> list[int]:
    """Two seeds that nobody can have prepared for."""
    return [secrets.randbelow(10 ** 9) for _ in range(2)]


def available() -> list[str]:
    """The exercises of this course."""
    return sorted(path.parent.name for path in HOME.glob("*/source.md"))


def grade(path: Path, seeds: list[int], limits: Limits = Limits(), exercise: str = "") -> Result:
    """Grade one notebook; never raises for what is in it."""
    result = Result(str(path), seeds=list(seeds))
    if not Path(path).is_file():
        result.problem = "there is no such file"
        return result
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
        result.exercise = exercise or exercise_of(text)
    except (OSError, ValueError) as error:
        result.problem = str(error)
        return result
    source = source_of(HOME / result.exercise)
    try:
        submission = notebook(text)
        graded, result.notes = assemble(submission, source, seeds)
        result.flags = flags(submission)
    except Exception as error:  # whatever a broken file does to its readers, it is the file that is broken
        result.marks = [lost(cell, result.exercise, f"not a notebook: {error}") for cell in checks(source)]
        return result
    outcome = run(nbformat.writes(graded), [record(cell) for cell in checks(source)], limits)
    result.seconds, result.problem = outcome.seconds, outcome.problem
    result.notes += failures(outcome)
    result.marks = [] if outcome.problem else marks(result.exercise, source, outcome, seeds)
    return result


def exercise_of(text: str) -> str:
    """The exercise a notebook says it is, even if the file is damaged."""
    found = NAMED.search(text)
    if not found or found[1] not in available():
        known = ", ".join(available())
        damaged = "" if readable(text) else "it is damaged (no JSON), and "
        raise ValueError(f"{damaged}it does not say which exercise it is; there are: {known} (option --exercise)")
    return found[1]


def readable(text: str) -> bool:
    """Whether a file can be read at all, as a notebook must."""
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def notebook(text: str):
    """The submission, read as whatever version of the format it has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about missing cell ids and the like; assembling gives every cell a new one
        nb = nbformat.reads(json.dumps(json.loads(text)), as_version=4)
    for cell in nb.cells:
        cell.source, cell.cell_type = "".join(cell.source), str(cell.cell_type)
    return nb


def record(check) -> str:
    """The file into which a check's hidden tests record their evidence."""
    return f"{about(check)['id']}.json"


def marks(exercise: str, source, outcome: Outcome, seeds) -> list[Mark]:
    """A mark for each check. If the canary survived, cells were switched off and nothing counts."""
    if any(cell["outcome"] == "passed" for cell in outcome.cells if cell["course"].get("canary")):
        why = "refused: a cell that must fail did not, so cells were switched off"
        return [lost(cell, exercise, why) for cell in checks(source)]
    return [mark(exercise, cell, outcome, seeds) for cell in checks(source)]


def mark(exercise: str, check, outcome: Outcome, seeds) -> Mark:
    """Points only for evidence that this process has judged itself; what the kernel says about itself is a hint."""
    name, points = about(check)["id"], about(check)["points"]
    unrun = {"outcome": "failed", "reason": "the check was not run"}
    cell = next((cell for cell in outcome.cells if cell["course"].get("id") == name), unrun)
    evidence = outcome.evidence[record(check)]
    if evidence is None:
        return lost(check, exercise, cell["reason"] or "the check left no evidence: it was switched off")
    try:
        verdict = importlib.import_module(f"exercises.{exercise}").judge(name, evidence, seeds)
    except Exception as error:  # evidence is a learner's data: nothing it contains may stop the grader
        return lost(check, exercise, f"{error}")
    if verdict.outcome != "correct":
        return lost(check, exercise, verdict.reason, verdict.outcome)
    if cell["outcome"] != "passed" and cell["reason"]:
        return lost(check, exercise, cell["reason"])
    return Mark(f"{exercise}/{name}", "correct", points, points)


def lost(check, exercise: str, reason: str, outcome: str = "wrong") -> Mark:
    """No points, and why."""
    return Mark(f"{exercise}/{about(check)['id']}", outcome, 0, about(check)["points"], " ".join(reason.split())[:600])


def failures(outcome: Outcome) -> list[str]:
    """What went wrong outside the checks, because that is often where the reason lies."""
    return [f"{cell['course'].get('answer', 'another cell')}: {cell['reason']}" for cell in outcome.cells
            if cell["outcome"] != "passed" and not cell["course"].get("canary") and "check" not in cell["course"]]
