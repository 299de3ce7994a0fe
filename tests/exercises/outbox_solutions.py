"""The reference, the alternatives and the mutants of the outbox exercise, as functions and as notebooks."""
import importlib.util
from copy import deepcopy
from functools import cache
from pathlib import Path

import exercises
import nbformat
from classroom import notebooks
from exercises.grader.release import about, derived, learners, solved, source_of

FOLDER = Path(exercises.__file__).parent / "outbox"
MUTANTS = sorted(path.stem for path in FOLDER.glob("mutants/*.py"))
ALTERNATIVES = sorted(path.stem for path in FOLDER.glob("alternatives/*.py"))
FUNCTIONS = ("place_order", "relay_once", "handle")


@cache
def source():
    return source_of(FOLDER)


def module(kind: str, name: str):
    """A mutant or an alternative as a module."""
    path = FOLDER / kind / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"{kind}_{name}", path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def answers(nb) -> dict:
    """The functions a notebook defines in its answer cells."""
    namespace = {"__name__": "answers"}
    exec("from exercises.outbox import Event, NotConfirmed, Refused", namespace)
    for cell in nb.cells:
        if "answer" in about(cell):
            exec(cell.source, namespace)
    return {name: namespace[name] for name in FUNCTIONS}


@cache
def reference() -> dict:
    return answers(derived(source(), hidden=None))


def functions(kind: str, name: str) -> dict:
    """The functions of a mutant or an alternative; what it leaves out is taken from the reference."""
    return {each: getattr(module(kind, name), each, reference()[each]) for each in FUNCTIONS}


def untouched():
    return learners(source())


def full():
    """The reference solution as a submission."""
    return solved(source())


def with_file(kind: str, name: str):
    """A submission whose last answer cell holds a whole mutant or alternative, on top of the reference."""
    return with_cell(full(), (FOLDER / kind / f"{name}.py").read_text(encoding="utf-8"), "handle")


def with_cell(nb, code: str, answer: str = "place_order"):
    """The notebook with code appended to the cell of an answer."""
    nb = deepcopy(nb)
    cell = next(cell for cell in nb.cells if about(cell).get("answer") == answer)
    cell.source += "\n\n" + code
    return nb


def cells(nb, name: str):
    """The check cell with that id."""
    return next(cell for cell in nb.cells if about(cell).get("id") == name)


def text(nb) -> str:
    return notebooks.render(nb)


def notebook_cell(code: str):
    """A cell of the learner's own."""
    return nbformat.v4.new_code_cell(code)
