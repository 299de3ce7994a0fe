"""The notebook that is graded: the learner's answers, the course's checks with seeds nobody has seen, and a canary."""
import re
from copy import deepcopy

import nbformat
from classroom import notebooks
from nbformat import NotebookNode

from .release import about, checks, derived

CANARY = "canary"
MARKER = re.compile(r"#+\s*(NBVAL_\w+|PYTEST_VALIDATE_\w+)")


def assemble(submission: NotebookNode, source: NotebookNode, seeds) -> tuple[NotebookNode, list[str]]:
    """The notebook to run, and notes on what had to be put right."""
    notes = tampered(submission, source)
    shown = {cell.source for cell in source.cells if "show" in about(cell)}  # pictures prove nothing and take time
    kept = [cell for cell in submission.cells if "check" not in about(cell) and cell.source not in shown]
    cells = [cleaned(cell, notes) for cell in kept]
    for check in checks(derived(source)):
        cells.insert(place(cells, check, notes), armed(check, seeds))
    cells.append(code(f'raise AssertionError("{CANARY}")', {"canary": True}))
    return numbered(cells), notes


def tampered(submission: NotebookNode, source: NotebookNode) -> list[str]:
    """Which check cells are missing or differ from what was handed out."""
    theirs = {about(cell).get("id"): cell.source for cell in checks(submission)}
    notes = []
    for cell in checks(derived(source, hidden=None)):
        name = about(cell)["id"]
        if theirs.get(name) != cell.source:
            notes.append(f"check {name} was {'edited' if name in theirs else 'missing'}: restored")
    return notes


def cleaned(cell: NotebookNode, notes: list[str]) -> NotebookNode:
    """The learner's cell without outputs, tags and nbval markers: nothing in it can speak for the checks."""
    cell = deepcopy(cell)
    cell.metadata = {"course": {"answer": about(cell)["answer"]}} if "answer" in about(cell) else {}
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None
        if MARKER.search(cell.source):
            notes.append("a marker for nbval was removed from a cell")
            cell.source = MARKER.sub("#", cell.source)
    return cell


def needed(check: NotebookNode) -> list[str]:
    """The ids of the answers that a check needs."""
    wanted = about(check)["check"]
    return [wanted] if isinstance(wanted, str) else list(wanted)


def place(cells: list[NotebookNode], check: NotebookNode, notes: list[str]) -> int:
    """Behind the last cell with an answer that the check needs, and behind the checks already there; or at the end."""
    wanted = needed(check)
    found = [number for number, cell in enumerate(cells) if about(cell).get("answer") in wanted]
    if not found:
        notes.append(f"no answer cell for check {about(check)['id']}: checked at the end")
        return len(cells)
    position = found[-1] + 1
    while position < len(cells) and "check" in about(cells[position]):
        position += 1
    return position


def armed(check: NotebookNode, seeds) -> NotebookNode:
    """The check with its hidden tests, aimed with the seeds of this grading."""
    return code(re.sub(r"\bUNSEEN\b", repr(list(seeds)), check.source), dict(about(check)))


def code(source: str, course: dict) -> NotebookNode:
    """A code cell of the course's own."""
    return nbformat.v4.new_code_cell(source, metadata={"course": course})


def numbered(cells: list[NotebookNode]) -> NotebookNode:
    """A notebook of these cells with ids that are surely unique and the ordinary kernel."""
    for number, cell in enumerate(cells, start=1):
        cell.id = f"cell-{number}"
    metadata = {"kernelspec": notebooks.KERNEL, "language_info": notebooks.LANGUAGE}
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)
