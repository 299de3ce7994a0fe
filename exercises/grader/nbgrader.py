"""An exercise as a source notebook for nbgrader, which knows the same marks for solutions and hidden tests.

    python -m exercises.grader.nbgrader exercises/outbox course/source/outbox      writes outbox.ipynb there

There, a hidden test is passed if nothing is raised, so the checks raise; and it runs with seeds fixed at export,
because nbgrader has no place for others. The verdict is taken in the learner's kernel: this course's own grader is
the stricter one.
"""
import re
import sys
from copy import deepcopy
from pathlib import Path

from classroom import notebooks
from nbformat import NotebookNode

from .grading import unseen
from .release import about, source_of

SCHEMA = 3  # of the metadata that nbgrader 0.9 reads
HIDDEN = re.compile(r'^(check\.\w+\(.*), seeds=UNSEEN, record="[^"]*"\)$', re.M)


def exported(nb: NotebookNode, seeds) -> NotebookNode:
    """The source notebook with nbgrader's metadata on answers and checks, and hidden tests that raise."""
    nb = deepcopy(nb)
    for cell in notebooks.code_cells(nb):
        course = about(cell)
        if "answer" in course:
            cell.metadata["nbgrader"] = marked(f"answer-{course['answer']}", solution=True)
        if "check" in course:
            cell.metadata["nbgrader"] = marked(course["id"], grade=True, locked=True, points=float(course["points"]))
            cell.source = HIDDEN.sub(rf'verdict = \1, seeds={list(seeds)})\n'
                                     r'assert verdict.outcome == "correct", verdict.reason', cell.source)
    return nb


def marked(name: str, **what) -> dict:
    """What nbgrader keeps of a cell."""
    return {"grade": False, "locked": False, "schema_version": SCHEMA, "solution": False, "task": False,
            "cell_type": "code", "grade_id": name, **what}


def export(folder: Path, into: Path) -> Path:
    """Write an exercise as a source notebook into a folder."""
    into.mkdir(parents=True, exist_ok=True)
    path = into / f"{Path(folder).name}.ipynb"
    notebooks.write(exported(source_of(folder), unseen()), path)
    return path


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m exercises.grader.nbgrader exercises/NAME FOLDER")
    print(export(Path(sys.argv[1]), Path(sys.argv[2])))
