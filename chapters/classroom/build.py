"""Generate every notebook from its Markdown source; cells marked for checking are executed for their output."""
import os
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL
from tempfile import TemporaryDirectory

from nbformat import NotebookNode

from . import notebooks
from .places import chosen, notebook_of, shown


def main(paths: Sequence[str]) -> int:
    for source in chosen(paths):
        changed = build(source)
        print(f"{'wrote' if changed else 'same '} {shown(notebook_of(source))}", flush=True)
    return 0


def build(source: Path) -> bool:
    """Write the source's notebook, with the outputs of its checked cells; whether that changed anything."""
    nb, target = notebooks.read(source), notebook_of(source)
    if any(map(notebooks.is_checked, nb.cells)):
        notebooks.keep_outputs(nb, execute(notebooks.read(source), source.parent))
    before = target.read_text(encoding="utf-8") if target.exists() else ""
    notebooks.write(nb, target)
    return before != notebooks.render(nb)


def execute(nb: NotebookNode, folder: Path) -> NotebookNode:
    """The notebook after a run from top to bottom by nobody: an empty progress file, no human."""
    from nbclient import NotebookClient

    with nobodys_progress():
        return NotebookClient(nb, timeout=300, resources={"metadata": {"path": str(folder)}}).execute(stderr=DEVNULL)


@contextmanager
def nobodys_progress():
    """Keep the maintainer's own predictions out of what is generated."""
    before = os.environ.get("COURSE_PROGRESS")
    with TemporaryDirectory() as folder:
        os.environ["COURSE_PROGRESS"] = str(Path(folder) / "progress.json")
        try:
            yield
        finally:
            os.environ.pop("COURSE_PROGRESS")
            if before is not None:
                os.environ["COURSE_PROGRESS"] = before
