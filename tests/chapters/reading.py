"""A chapter's source as its tests read it: code cells, prose, and the variables its own cells leave behind."""
from contextlib import redirect_stdout
from io import StringIO
from types import SimpleNamespace

from classroom import notebooks
from classroom.goals import open_goals
from classroom.places import CHAPTERS


class Chapter:
    """One chapter by the name of its source."""

    def __init__(self, name: str):
        self.name = name
        self.cells = notebooks.read(CHAPTERS / f"{name}.md").cells
        self.code = [cell.source for cell in self.cells if cell.cell_type == "code"]
        self.prose = [cell.source for cell in self.cells if cell.cell_type == "markdown"]

    @property
    def number(self) -> str:
        """The prefix of the chapter's ids, "02" of "02-kafka"."""
        return self.name.split("-")[0]

    def says(self, words: str) -> bool:
        """Whether some cell of the prose says this, wherever its lines end."""
        return any(words in " ".join(text.split()) for text in self.prose)

    def says_together(self, *words: str) -> bool:
        """Whether the prose says all of this in one cell."""
        return any(all(word in text for word in words) for text in self.prose)

    def run(self) -> SimpleNamespace:
        """The variables of the notebook after all its cells, and none of the goals that it left open."""
        variables = {"__name__": "chapter"}
        with redirect_stdout(StringIO()):
            for source in self.code:
                exec(compile(source, source.splitlines()[0], "exec"), variables)
        open_goals.clear()  # a notebook has a kernel of its own
        return SimpleNamespace(**variables)
