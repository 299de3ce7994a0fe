"""Pytest plugin, loaded by pyproject.toml: nobody's progress, patience between outputs, no module compiled twice."""
import os
import sys
from functools import partial
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Notebooks and tests record into a file of their own; what one process compiles, the next one finds.

    Hundreds of Python processes begin in a test run. Where the environment forbids to keep bytecode, each of them would
    compile Matplotlib and pandas again, at three seconds of processor time.
    """
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    folder = Path(mkdtemp(prefix="course-progress-"))
    os.environ["COURSE_PROGRESS"] = str(folder / "progress.json")
    config.add_cleanup(partial(rmtree, folder))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """nbval gives up when two outputs of a finished cell are 5 s apart, and has no option for it."""
    for item in items:
        if hasattr(item, "output_timeout"):
            item.output_timeout = 60
