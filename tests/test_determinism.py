"""Same seed, same run, byte for byte: across hash seeds, processes, versions of Python, and with bystanders."""
import json
import os
import re
import subprocess
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from digests import SCENARIOS, SMALL, TROUBLE, history_digest, run_digest, scenario

from simulator import Workload, faults, kafka, simulate
from simulator.kernel.world import World

ROOT = Path(__file__).parents[1]
DIGESTS = ROOT / "tests" / "digests.py"
GROUND = ("simpy", "numpy", "scipy")  # all that `import simulator` needs


@cache
def digests(python: str = sys.executable, hash_seed: str = "0") -> dict[str, str]:
    """The digest of every scenario, found by a Python process of its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": hash_seed}
    answer = subprocess.run([python, str(DIGESTS)], env=environment, cwd=ROOT, capture_output=True,
                            text=True, timeout=300)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


@cache
def here(name: str) -> tuple[str, str]:
    """The digest of a scenario found in this process, and that of its history alone."""
    run = scenario(name)
    return run_digest(run), history_digest(run.history)


def test_hash_seeds_and_processes_change_nothing():
    assert digests(hash_seed="0") == digests(hash_seed="1") == digests(hash_seed="4294967295")


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_run_before_this_one_changes_nothing(name):
    assert here(name)[0] == digests()[name]


def test_every_scenario_is_another_run():
    assert len(set(digests().values())) == len(SCENARIOS)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_seed_matters(name):
    """A digest that never changes would prove nothing."""
    assert run_digest(scenario(name, seed=8)) != digests()[name]


# Python versions

def versions() -> dict[str, str]:
    """Every supported Python on this machine: version -> the way to its interpreter."""
    places = [Path(place) for place in os.environ.get("PATH", "").split(os.pathsep) if place]
    candidates = [Path(sys.executable)] + [path for place in places for path in sorted(place.glob("python3.*"))]
    candidates += sorted(Path.home().glob(".pyenv/versions/*/bin/python3"))
    found = {}
    for path in candidates:
        version = _version(path) if re.fullmatch(r"python(3(\.\d+)?)?", path.name) else None
        if version and version >= (3, 11):
            found.setdefault("%d.%d" % version, str(path))
    return dict(sorted(found.items()))


def _version(python: Path) -> tuple[int, int] | None:
    """The version an interpreter says it is; None for a shim without one behind it."""
    try:
        answer = subprocess.run([python, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True,
                                text=True, timeout=30)
    except OSError:
        return None
    return tuple(map(int, answer.stdout.split())) if answer.returncode == 0 else None


def pins() -> str:
    """The lines of requirements.txt for the three packages of the ground floor, with their hashes."""
    blocks = re.split(r"\n(?=\S)", (ROOT / "requirements.txt").read_text(encoding="utf-8"))
    return "\n".join(block for block in blocks if re.split(r"[=\s]", block)[0] in GROUND) + "\n"


@cache
def bare(version: str, base: str) -> str:
    """An interpreter of this version with simpy, numpy and scipy as pinned, no more; kept under out/ for next time."""
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        pytest.skip(f"Python {version}: uv is not beside {sys.executable} (make test installs it)")
    folder = ROOT / "out" / "pythons" / f"{version}-{sha256(pins().encode()).hexdigest()[:12]}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (folder / "ready").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        requirements = folder.with_suffix(".txt")
        requirements.write_text(pins())
        for command in (["venv", "--quiet", "--clear", "--python", base, folder],
                        ["pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", requirements]):
            answer = subprocess.run([uv, *command], capture_output=True, text=True, timeout=600)
            if answer.returncode != 0:
                reason = " ".join(answer.stderr.split())[:300]
                pytest.skip(f"Python {version} could not be given the pinned simpy, numpy and scipy: {reason}")
        (folder / "ready").touch()
    return str(python)


@pytest.mark.parametrize("version, base", [pytest.param(*found, id=found[0]) for found in versions().items()])
def test_python_versions_change_nothing(version, base):
    """Also the proof that the simulator runs with three packages: in these environments there is nothing else."""
    assert digests(bare(version, base)) == digests()


def test_the_bare_environment_is_bare():
    version = "%d.%d" % sys.version_info[:2]
    names = subprocess.run([Path(sys.executable).with_name("uv"), "pip", "freeze", "--python",
                            bare(version, sys.executable)],
                           capture_output=True, text=True, check=True).stdout.split()
    assert {name.split("==")[0] for name in names} == set(GROUND)


# Bystanders

def seen(faults=(), trace=True, **settings) -> str:
    return history_digest(simulate(kafka.Cluster(**settings), SMALL, faults=faults, seed=7, trace=trace).history)


@pytest.mark.parametrize("name", SCENARIOS)
def test_watching_changes_nothing(name):
    assert history_digest(scenario(name, trace=False).history) == here(name)[1]


def test_nobody_notices_a_fault_of_somebody_who_says_nothing():
    """The controller's brief pause is in the trace, and in nothing that a client sees."""
    assert seen() == seen(faults=[faults.pause("controller", at=3, lasts=0.5)])


class WithBystander(kafka.Cluster):
    """A cluster beside which somebody else draws numbers and sends messages on the same network."""

    def build(self, world: World, workload: Workload):
        stranger, friend = world.node("stranger", "consumer"), world.node("friend", "consumer")
        kind = world.trace.kind("chatter", "send", "{node} says something to {peer}")

        def chatter():
            world.network.link(stranger, friend).send(kind, lambda *_: None, "...", 1000)
            stranger.after(0.1, chatter)
        chatter()
        world.stream("stranger").uniforms(1000)
        return super().build(world, workload)


def test_a_bystander_changes_nobodys_luck():
    alone, beside = (simulate(system, SMALL, faults=TROUBLE, seed=7) for system in (kafka.Cluster(), WithBystander()))
    assert history_digest(alone.history) == history_digest(beside.history)


@pytest.mark.parametrize("other", [kafka.Cluster(brokers=5), kafka.Cluster(producer=kafka.Producer(acks=0)),
                                   kafka.Cluster(min_insync=1)],
                         ids=str)
def test_systems_compared_under_one_seed_meet_the_same_arrivals(other):
    first, second = (system.build(World(7), SMALL).history.created for system in (kafka.Cluster(), other))
    assert all(np.array_equal(first[key], second[key]) for key in first)
