"""The engine of the exercise beside Temporal: one judge for both, and which part is written by whom, in lines.

The engine is the exercise's reference solution, taken from the source that the exercise's own notebook is made of.
Nothing here needs Temporal: its side of the table is counted in the text of saga_workflow.py and saga_worker.py.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pandas as pd

import exercises
from exercises.attack import Finding
from exercises.grader.release import about, derived, source_of
from exercises.saga_orchestration import Plan, perform, rules

FOLDER = Path(exercises.__file__).parent / "saga_orchestration"
# The rules about credit, and about the steps of a stage with one thread, have nothing to say of real processes.
RULES = (rules.taken_back, rules.twice, rules.leaked, rules.torn, rules.out_of_order, rules.unfinished, rules.needless)

# part of the work: functions of the engine, what is written for Temporal, and what does the rest
PARTS = {
    "begin once, however often it is asked": (("start",), (), "the workflow's id"),
    "where each order is, in a database": (("advance", "become"), (), "the history, which the workflow replays"),
    "find what is unfinished, carry it on": (("resume",), (), "the server hands it to a worker that lives"),
    "ask, repeat, count to three": (("forward",), ("ask", "AGAIN", "FOR_EVER", "THREE_TIMES"), "the server's timers"),
    "the end": (("end",), (), "return"),
    "which steps, in which order, and the way back": (("STEPS", "UNDO"), ("UNDO", "Saga", "take_back"), ""),
    "the key of a request": ((), ("derived",), ""),
    "talk to the services": ((), ("send", "requests"), "")}


@cache
def engine() -> tuple[str, dict]:
    """The exercise's reference solution: its text, and what it defines."""
    cells = derived(source_of(FOLDER), hidden=None).cells
    text = "\n".join(cell.source for cell in cells if "answer" in about(cell))
    namespace: dict = {}
    exec("from exercises.saga_orchestration import Busy, NoAnswer, Rejected\n" + text, namespace)
    return text, {name: namespace[name] for name in ("start", "resume")}


def told(finding: Finding | None) -> str:
    """A verdict in one line."""
    return f"{finding.rule}: {finding.sentence}" if finding else "no rule is broken"


def judged(plan: Plan) -> str:
    """What the exercise's rules say of its own engine under a plan."""
    return told(rules.finding(perform(plan, engine()[1]), RULES))


def lines(text: str) -> dict[str, int]:
    """Lines of each definition at the top of a program: a statement is a line, however it is wrapped."""
    return {name: _length(node) for node in ast.parse(text).body for name in _names(node)}


def _names(node) -> list[str]:
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return [node.name] if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) else []


def _length(node) -> int:
    """Decorators and docstrings count as nothing: they say what the code is, and do none of the work."""
    for inner in ast.walk(node):
        inner.decorator_list = []
        if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and ast.get_docstring(inner):
            inner.body = inner.body[1:]
    return len(ast.unparse(node).splitlines())


def table() -> pd.DataFrame:
    """Lines written for each part, by hand and with Temporal."""
    own, written = lines(engine()[0]), {}
    for module in ("saga_worker.py", "saga_workflow.py"):
        written |= lines((Path(__file__).parent / module).read_text("utf-8"))
    rows = {part: (sum(own[name] for name in mine), sum(written[name] for name in theirs), rest)
            for part, (mine, theirs, rest) in PARTS.items()}
    columns = ["the exercise's engine", "with Temporal", "what does the rest"]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    frame.loc["together"] = (*frame[columns[:2]].sum(), "")
    return frame
