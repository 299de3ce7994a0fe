"""Submissions to the outbox exercise, as notebooks: the untouched one, the reference, and changes to either."""
from copy import deepcopy

import nbformat
from classroom import notebooks
from exercises.grader.release import about, learners, solved
from graded import HOME, source

FOLDER = HOME / "outbox"


def untouched():
    return learners(source("outbox"))


def full():
    """The reference solution as a submission."""
    return solved(source("outbox"))


def with_file(kind: str, name: str):
    """A submission whose last answer cell holds a whole mutant or alternative, on top of the reference."""
    return with_code(full(), handle=(FOLDER / kind / f"{name}.py").read_text(encoding="utf-8"))


def with_code(nb, **code: str):
    """The notebook with code appended to the cells of some answers."""
    nb = deepcopy(nb)
    for cell in nb.cells:
        if added := code.get(about(cell).get("answer")):
            cell.source += "\n\n" + added
    return nb


def cells(nb, name: str):
    """The check cell with that id."""
    return next(cell for cell in nb.cells if about(cell).get("id") == name)


def text(nb) -> str:
    return notebooks.render(nb)


def notebook_cell(code: str):
    """A cell of the learner's own."""
    return nbformat.v4.new_code_cell(code)
