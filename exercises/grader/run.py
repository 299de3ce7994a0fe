"""Runs one notebook in a limited child process and an empty folder, and brings back what it left."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import exercises
import psutil

ROOT = Path(exercises.__file__).parents[1]
LARGEST_EVIDENCE = 32 * 2 ** 20
TOKEN = "COURSE_RUN"
FENCE = Path(exercises.__file__).parent / "grader" / "fence.py"
FENCED = """def fenced():
    namespace = dict(__name__="fence")  # of its own: what the notebook imports is another copy
    exec(open({fence!r}, encoding="utf-8").read(), namespace)
    namespace["put_up"]({folder!r})
fenced()
del fenced
"""


@dataclass(frozen=True)
class Limits:
    """What a submission may use: seconds for one cell and for all, bytes of address space. It has no processes."""
    cell: float = 20
    wall: float = 300
    memory: int = 4 * 2 ** 30


@dataclass
class Outcome:
    """What a run left: the report on its cells, the recorded evidence, or the reason why there is no report."""
    cells: list[dict] = field(default_factory=list)
    evidence: dict[str, object] = field(default_factory=dict)
    problem: str = ""
    seconds: float = 0


def run(notebook: str, names: list[str], limits: Limits = Limits()) -> Outcome:
    """Execute a notebook's text; `names` are the files its checks record into."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="grade-", ignore_cleanup_errors=True) as folder:
        work, aside = Path(folder) / "work", Path(folder) / "aside"
        work.mkdir()
        aside.mkdir()
        (work / "ex.ipynb").write_text(notebook, encoding="utf-8")
        (aside / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        startup = aside / "ipython" / "profile_default" / "startup"  # what every kernel runs first
        startup.mkdir(parents=True)
        (startup / "fence.py").write_text(FENCED.format(fence=str(FENCE), folder=folder), encoding="utf-8")
        code, output = execute(command(work, aside, limits), aside, limits.wall)
        outcome = read_report(aside / "report.json", code, output)
        outcome.evidence = {name: read_evidence(work / name) for name in names}
    outcome.seconds = round(time.monotonic() - started, 1)
    return outcome


def command(work: Path, aside: Path, limits: Limits) -> list[str]:
    """pytest with nbval and the course's plugin, and nothing else that happens to be installed or lying around."""
    plugins = ("exercises.grader.plugin", "nbval.plugin", "no:cacheprovider")
    return [sys.executable, "-P", "-m", "pytest", *(f"-p{name}" for name in plugins), "-q", "--color=no",
            "-c", str(aside / "pytest.ini"), "--rootdir", str(work), "--noconftest",
            "--nbval-lax", "--nbval-current-env", "--nbval-kernel-startup-timeout=60",
            f"--nbval-cell-timeout={limits.cell}",
            f"--course-report={aside / 'report.json'}", f"--course-memory={limits.memory}", str(work / "ex.ipynb")]


def environment(aside: Path, token: str) -> dict[str, str]:
    """The environment without anything that would configure pytest or the kernel from outside."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("PYTEST", "PYTHON", "JUPYTER", "IPYTHON"))}
    own = {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "chapters"))), "PYTHONDONTWRITEBYTECODE": "1",
           "IPYTHONDIR": str(aside / "ipython"), "JUPYTER_CONFIG_DIR": str(aside / "config"),
           "JUPYTER_RUNTIME_DIR": str(aside / "runtime"), "TMPDIR": str(aside)}
    return kept | own | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", TOKEN: token}


def execute(arguments: list[str], aside: Path, wall: float) -> tuple[int | None, str]:
    """The exit code (None if the wall time ran out) and the end of what was printed."""
    token = uuid.uuid4().hex
    with open(aside / "output.txt", "w+", encoding="utf-8", errors="replace") as output:
        child = subprocess.Popen(arguments, cwd=aside, env=environment(aside, token), stdin=subprocess.DEVNULL,
                                 stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            code = child.wait(timeout=wall)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            sweep(token)
            child.kill()
            child.wait()
        output.seek(0)
        return code, output.read()[-2000:]


def sweep(token: str) -> None:
    """Kill what the run left behind: a kernel has a session of its own and may outlive a pytest that was killed."""
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(TOKEN) == token:
                process.kill()
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue


def read_report(path: Path, code: int | None, output: str) -> Outcome:
    """The report on the cells; without one the run is a failure of grading, never a mark."""
    if code is None:
        return Outcome(problem="the time for the whole notebook ran out")
    if code not in (0, 1):
        name = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        last = (output.strip().splitlines() or ["it printed nothing"])[-1]
        return Outcome(problem=f"pytest {name}: {last}")
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError) as error:
        return Outcome(problem=f"pytest left no report ({type(error).__name__})")
    if not any("check" in cell["course"] for cell in cells):
        return Outcome(problem="no check was run")
    if all(cell["outcome"] == "error" for cell in cells):
        return Outcome(problem=f"the kernel did not start: {cells[0]['reason']}")
    return Outcome(cells=cells)


def read_evidence(path: Path):
    """What a check recorded, or None. A learner's code can write to this folder, so nothing in it is trusted."""
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST_EVIDENCE:
            return None
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
