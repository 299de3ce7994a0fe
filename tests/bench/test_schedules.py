"""The thousand schedules of `--full` can be played; the bench is a program, so it is asked in a process of its own."""
import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ASK = "from tests.bench.schedules import PROTOCOLS, broken; print({name: broken(name, range(1)) for name in PROTOCOLS})"


def test_the_first_schedule_of_each_protocol_breaks_nothing():
    asked = subprocess.run([sys.executable, "-c", ASK], cwd=ROOT, capture_output=True, text=True)
    assert asked.returncode == 0, asked.stderr
    found = ast.literal_eval(asked.stdout)
    assert len(found) > 10 and not any(found.values()), found
