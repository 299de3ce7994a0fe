"""Notebooks are written as Jupytext Markdown and generated from it, byte for byte the same every time.

A code cell is a ```` ```python ```` fence; metadata and tags follow it: ```` ```python tags=["check"] ````.
Two blank lines end a Markdown cell. A fence that should stay prose says so: ```` ```bash .noeval ````.
A notebook keeps no outputs, so that a learner predicts before seeing. The exception is the short text of cells
marked `# NBVAL_CHECK_OUTPUT`, which nbval compares on every run.
"""
import re
from copy import deepcopy
from itertools import count
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

CHECKED = "# NBVAL_CHECK_OUTPUT"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
    "version": "3.11.0",
}


def read(path: str | Path) -> NotebookNode:
    """The notebook that a Jupytext Markdown source describes, with stable cell ids and no outputs."""
    nb = jupytext.reads(Path(path).read_text(encoding="utf-8"), fmt="md")
    nb.metadata.pop("jupytext", None)  # otherwise JupyterLab's Jupytext extension would rewrite the source on save
    nb.metadata.update(kernelspec=KERNEL, language_info=LANGUAGE)
    nb.nbformat, nb.nbformat_minor = 4, 5
    name_cells(nb)
    return nb


def render(nb: NotebookNode) -> str:
    """The .ipynb text, exactly as JupyterLab would save it, with the outputs of checked cells only."""
    nb = deepcopy(nb)
    nb.metadata.pop("widgets", None)
    for cell in code_cells(nb):
        if not (is_checked(cell) and cell.outputs):
            cell.outputs, cell.execution_count = [], None
    return nbformat.writes(nb) + "\n"


def write(nb: NotebookNode, path: str | Path) -> None:
    """Save `render(nb)`, with the same line ends on every system."""
    Path(path).write_text(render(nb), encoding="utf-8", newline="\n")


def code_cells(nb: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def is_checked(cell: NotebookNode) -> bool:
    """Whether nbval compares this cell's output."""
    return cell.cell_type == "code" and CHECKED in cell.source


def keep_outputs(nb: NotebookNode, executed: NotebookNode) -> NotebookNode:
    """`nb` with the outputs its checked cells have in `executed`, a notebook of the same cells."""
    for number, (cell, ran) in enumerate(zip(code_cells(nb), code_cells(executed), strict=True), start=1):
        if is_checked(cell):
            cell.outputs, cell.execution_count = [text_only(cell, out, number) for out in ran.outputs], number
    return nb


def text_only(cell: NotebookNode, output: NotebookNode, number: int) -> NotebookNode:
    """The output itself, refused if it is more than plain text: nbval could not compare it fairly."""
    kinds = {output.name} if output.output_type == "stream" else set(output.get("data", {"an error": None}))
    if not kinds <= {"stdout", "text/plain"}:
        raise ValueError(f"cell {cell.id}: a checked cell must print plain text only, not {', '.join(sorted(kinds))}")
    output = deepcopy(output)
    if "execution_count" in output:
        output.execution_count = number
    return output


def name_cells(nb: NotebookNode) -> None:
    """Give each cell a readable id from its first words, so that a new cell renames none of the others."""
    taken: set[str] = set()
    for cell in nb.cells:
        slug = slug_of(cell)
        candidates = (f"{slug}-{n}" if n > 1 else slug for n in count(1))
        cell.id = next(name for name in candidates if name not in taken)
        taken.add(cell.id)


def slug_of(cell: NotebookNode) -> str:
    """At most six words of the cell's first line that says something."""
    lines = [line for line in cell.source.splitlines() if re.search("[A-Za-z0-9]", line) and CHECKED not in line]
    words = re.findall("[a-z0-9]+", lines[0].lower())[:6] if lines else []
    return "-".join(words)[:48].rstrip("-") or "cell"
