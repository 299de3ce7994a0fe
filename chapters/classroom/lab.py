"""Open JupyterLab on the first chapter, with settings that live in the repository and touch nothing else."""
import os
import subprocess
import sys
from pathlib import Path

from .places import FIRST, ROOT, found, shown

CONFIG = Path(__file__).parent / "jupyter"
TERSE = ["--Application.log_level=WARN", "--Application.log_format=%(message)s"]  # where it is, and what is wrong


def command(extra: list[str]) -> list[str]:
    """JupyterLab's command line; a notebook given first is opened instead of the first chapter."""
    named, options = (extra[0], extra[1:]) if extra and not extra[0].startswith("-") else (FIRST, extra)
    start = f"--LabApp.default_url=/lab/tree/{shown(found(named))}"
    return [sys.executable, "-m", "jupyterlab", start, *TERSE, *root_in_a_container(), *options]


def root_in_a_container() -> list[str]:
    """JupyterLab refuses to run as root unless told to; in a container there is often nobody else."""
    return ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []


def environment() -> dict[str, str]:
    """This process's environment, with the course's settings in front of the learner's own."""
    paths = filter(None, [str(CONFIG), os.environ.get("JUPYTER_CONFIG_PATH")])
    return os.environ | {"JUPYTER_CONFIG_PATH": os.pathsep.join(paths)}


def main(extra: list[str]) -> int:
    line = command(extra)
    print("JupyterLab is starting; its address follows. Ctrl-C, twice, ends it.", flush=True)
    os.chdir(ROOT)
    if os.name == "nt":  # there, exec returns to the prompt at once and leaves JupyterLab behind
        return subprocess.call(line, env=environment())
    os.execve(sys.executable, line, environment())
