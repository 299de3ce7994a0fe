"""Pytest plugin for notebooks, loaded by pyproject.toml: nobody's progress, and patience between outputs."""
import os
from functools import partial
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Notebooks and tests record into a file of their own, never into the learner's."""
    folder = Path(mkdtemp(prefix="course-progress-"))
    os.environ["COURSE_PROGRESS"] = str(folder / "progress.json")
    config.add_cleanup(partial(rmtree, folder))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """nbval gives up when two outputs of a finished cell are 5 s apart, and has no option for it."""
    for item in items:
        if hasattr(item, "output_timeout"):
            item.output_timeout = 60
