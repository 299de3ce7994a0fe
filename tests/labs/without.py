"""A lab where its server is missing: it runs to its end, and each cell that needs the server says what is not there."""
from pathlib import Path

import nbformat
from classroom import notebooks
from classroom.build import execute

from labs import needs


def cells_of(lab: Path, hide: str, *words: str, more_than: int = 15) -> list:
    """The lab's code cells, run without its server. Each marked one prints one sentence, with all these words."""
    nb = notebooks.read(lab)
    nb.cells.insert(0, nbformat.v4.new_code_cell(hide))
    cells = notebooks.code_cells(execute(nb, lab.parent))
    marked = [cell for cell in cells if cell.source.startswith(needs.MARK)]
    assert len(marked) > more_than
    for cell in marked:
        assert texts(cell).startswith(f"Not run: {words[0]}"), cell.source
        assert all(word in texts(cell) for word in words), cell.source
    return cells


def texts(cell) -> str:
    """What a cell printed."""
    return "".join(output.get("text", "") for output in cell.outputs)
