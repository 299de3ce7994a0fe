"""The learner's notebook is made from a source that holds the solutions and the hidden tests.

    python -m exercises.grader.release exercises/outbox        writes exercise.ipynb beside source.md

Marks, each on a line of its own:

    ### BEGIN SOLUTION ... ### END SOLUTION            replaced by a stub that raises NotImplementedError
    ### BEGIN HIDDEN TESTS ... ### END HIDDEN TESTS    removed
"""
import re
import sys
from copy import deepcopy
from pathlib import Path

from classroom import notebooks
from nbformat import NotebookNode

MARK = re.compile(r"(\s*)### (BEGIN|END) (SOLUTION|HIDDEN TESTS)\s*")
STUB = 'raise NotImplementedError("replace this line")'


def source_of(folder: Path) -> NotebookNode:
    """The source notebook of an exercise."""
    return notebooks.read(Path(folder) / "source.md")


def about(node: NotebookNode) -> dict:
    """What the course knows about a cell or a notebook; empty if it knows nothing or somebody scribbled there."""
    course = node.get("metadata", {}).get("course", {})
    return course if isinstance(course, dict) else {}


def checks(nb: NotebookNode) -> list[NotebookNode]:
    """The check cells, in their order."""
    return [cell for cell in notebooks.code_cells(nb) if "check" in about(cell)]


def blocks(cell: NotebookNode) -> list[tuple[str, str, list[str]]]:
    """A cell's text as (kind, indentation, lines), where kind is "", "SOLUTION" or "HIDDEN TESTS"."""
    found, opened = [("", "", [])], ""
    for number, line in enumerate(cell.source.split("\n"), start=1):
        mark = MARK.fullmatch(line)
        if not mark:
            found[-1][2].append(line)
            continue
        indent, edge, kind = mark.groups()
        if (edge == "BEGIN" and opened) or (edge == "END" and opened != kind):
            raise ValueError(f"cell {cell.id}, line {number}: {edge} {kind} inside {opened or 'no block'}")
        opened = kind if edge == "BEGIN" else ""
        found.append((opened, indent, []))
    if opened:
        raise ValueError(f"cell {cell.id}: BEGIN {opened} is never closed")
    return found


def derived(nb: NotebookNode, **instead) -> NotebookNode:
    """The notebook with the lines of each marked kind kept, dropped (None) or replaced by one line (a string)."""
    nb = deepcopy(nb)
    for cell in notebooks.code_cells(nb):
        lines = []
        for kind, indent, kept in blocks(cell):
            choice = instead.get(kind.split(" ")[0].lower(), True)
            lines += kept if choice is True else [indent + choice] if choice else []
        cell.source = "\n".join(lines).rstrip("\n")
    return nb


def learners(nb: NotebookNode) -> NotebookNode:
    """What a learner gets: stubs, no hidden tests, check cells that an editor will not touch."""
    nb = derived(nb, solution=STUB, hidden=None)
    for cell in checks(nb):
        cell.metadata.update(editable=False, deletable=False)
    return nb


def solved(nb: NotebookNode) -> NotebookNode:
    """The reference solution as a submission: what a learner gets, with every answer filled in."""
    answers = learners(nb)
    for cell, solution in zip(answers.cells, derived(nb, hidden=None).cells):
        cell.source = solution.source
    return answers


def release(folder: Path) -> Path:
    """Write the learner's notebook beside its source."""
    path = Path(folder) / "exercise.ipynb"
    notebooks.write(learners(source_of(folder)), path)
    return path


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        if not Path(argument, "source.md").is_file():
            sys.exit(f"{argument}: not the folder of an exercise; there is no source.md in it")
        print(release(Path(argument)))
