"""Whole gradings: what is right gets its points, and nothing that a notebook does to the grader earns one."""
import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from copy import deepcopy
from xml.etree import ElementTree

import nbformat
import outbox_solutions as solutions
import psutil
import pytest
from classroom.notebooks import code_cells
from exercises.grade import main
from exercises.grader import grading
from exercises.grader import run as run_module
from exercises.grader.release import about
from exercises.grader.run import Limits, run
from graded import source, without_a_kernel

SEEDS = [101, 102]
DAMAGED = '{"metadata": {"course": {"exercise": "outbox"}}, "cells": [{"cell_ty'
LIMITS = Limits(cell=60, wall=600)


def graded(tmp_path, nb, limits=LIMITS):
    """The result of grading a notebook (or any text) as a submission."""
    path = tmp_path / "exercise.ipynb"
    path.write_text(nb if isinstance(nb, str) else solutions.text(nb), encoding="utf-8")
    return grading.grade(path, SEEDS, limits)


@pytest.fixture
def no_kernel(monkeypatch):
    """For tests that are not about the kernel: cells run in this process."""
    monkeypatch.setattr(grading, "run", without_a_kernel)


def reasons(result) -> str:
    """Everything the grader has to say."""
    return " | ".join([result.problem, *result.notes, *(mark.reason for mark in result.marks)])


def test_the_reference_gets_full_points(tmp_path, no_kernel):
    path = tmp_path / "exercise.ipynb"
    path.write_text(solutions.text(solutions.full()), encoding="utf-8")
    assert main([str(path), "--json", str(tmp_path / "out.json")]) == 0
    (entry,) = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["submissions"]
    assert (entry["points"], entry["possible"], entry["notes"], entry["flags"]) == (10, 10, [], [])


def test_the_untouched_notebook_runs_from_top_to_bottom_without_an_error():
    outcome = run((solutions.FOLDER / "exercise.ipynb").read_text(encoding="utf-8"), [])
    assert {cell["outcome"] for cell in outcome.cells} == {"passed"}, outcome
    assert len(outcome.cells) == len(code_cells(source("outbox")))


def test_another_solution_gets_full_points_and_a_mutant_loses_those_it_should(tmp_path, no_kernel):
    assert graded(tmp_path, solutions.with_file("alternatives", "dead_letters")).full
    result = graded(tmp_path, solutions.with_file("mutants", "ox20_memory_set"))
    assert [mark.check for mark in result.marks if not mark.points] == ["outbox/once", "outbox/pipeline"]
    assert "twice" in reasons(result) and "after COMMIT, before ack" in reasons(result)


def test_accidents_cost_nothing(tmp_path):
    nb = solutions.full()
    solutions.cells(nb, "relay").source = "check.relay(relay_once)  # I ran this twice"
    twice = next(cell for cell in nb.cells if about(cell).get("answer") == "handle")
    nb.cells.append(deepcopy(twice))
    nb.cells[-1].id = "pasted"
    nb.cells.insert(0, solutions.notebook_cell("import time; time.sleep(1000)"))
    nb.cells.append(solutions.notebook_cell("%matplotlib inline\nundefined_name"))
    result = graded(tmp_path, nb, Limits(cell=20, wall=600))
    assert result.full, reasons(result)
    assert "took too long" in reasons(result) and "undefined_name" in reasons(result)


NAIVE = (solutions.FOLDER / "mutants" / "ox01_commit_then_publish.py").read_text(encoding="utf-8")
TRANSFORM = """
def quiet(lines):
    return ["pass\\n"] if {condition} else lines
get_ipython().input_transformers_cleanup.append(quiet)
"""
KILL = "import os, signal; os.kill(os.getppid(), signal.SIGKILL)"
FORGE = """
import json, pathlib
from exercises.outbox import check
for name in check.CHECKS:
    pathlib.Path(name + ".json").write_text(json.dumps({content}))
"""
STUBBORN = """
def relay_once(db, broker):
    while True:
        try:
            __import__("time").sleep(60)
        except BaseException:
            pass
"""

THREADS = """
import threading, time
def handle(db, delivery):
    while True:
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
"""

# What is tried: code appended to answers, and what the grader must say, of a check where one is named.
HOSTILE = {
    "an endless loop, and one that swallows interrupts": (
        {"place_order": "def place_order(db, broker, order):\n    while True: pass", "relay_once": STUBBORN},
        {"atomic": "took too long", "relay": "took too long"}),
    "functions that want 10 GB and leave the process": (
        {"place_order": "def place_order(db, broker, order): bytearray(10 ** 10)",
         "relay_once": "def relay_once(db, broker): __import__('sys').exit(0)",
         "handle": "def handle(db, delivery): __import__('os')._exit(0)"},
        {"atomic": "MemoryError", "relay": "SystemExit", "once": "the kernel died"}),
    "cells that want 10 GB, are no Python and delete their folder": (
        {"place_order": "everything = bytearray(10 ** 10)", "relay_once": "def relay_once(db, broker:\n    return",
         "handle": "import os, shutil; shutil.rmtree(os.getcwd())"},
        {"place_order": "MemoryError", "relay_once": "SyntaxError", "once": "FileNotFoundError"}),
    "a fork bomb, one that goes round Python, and one of threads": (
        {"place_order": "import os\ndef place_order(db, broker, order):\n    while True: os.fork()",
         "relay_once": "import ctypes\ndef relay_once(db, broker):\n    ctypes.pythonapi.fork() < 0 and os.close(-1)",
         "handle": THREADS},
        {"atomic": "starts no processes (os.fork)", "relay": "OSError", "once": "can't start new thread"}),
    "cells that read the answers, call out and write elsewhere": (
        {"place_order": "from pathlib import Path\nimport exercises.outbox\n"
                        "Path(exercises.outbox.__file__).with_name('source.md').read_text()",
         "relay_once": "import urllib.request; urllib.request.urlopen('http://192.0.2.1')",
         "handle": "Path.home().joinpath('written').touch()"},
        {"place_order": "does not read the course's own answers (outbox/source.md)",
         "relay_once": "no network beyond this machine", "handle": "writes in its own folder only",
         "atomic": "not attempted"}),
    "a cell that leaves the process": ({"place_order": "import os; os._exit(0)"}, {"place_order": "the kernel died"}),
    "all cells turned into pass": ({"place_order": TRANSFORM.format(condition="True")},
                                   {"atomic": "cells were switched off"}),
    "check cells turned into pass": ({"place_order": TRANSFORM.format(condition="'check.' in ''.join(lines)")},
                                     {"atomic": "switched off"}),
    "checks replaced in the kernel": (
        {"place_order": "for name in check.CHECKS: setattr(check, name, lambda *a, **k: 'correct')"},
        {"atomic": "switched off"}),
    "rules replaced in the kernel": ({"place_order": NAIVE + """
from exercises.outbox import rules
rules.finding, rules.unattempted = lambda *a, **k: None, lambda run: False
"""}, {"atomic": "after COMMIT, before publish"}),
    "evidence written by hand, checks off": (
        {"place_order": TRANSFORM.format(condition="'check.' in ''.join(lines)")
         + "nothing = dict.fromkeys(['place_order', 'relay_once', 'handle'], lambda *a: None)\n"
         + FORGE.format(content="check.attack(name, {f: nothing[f] for f in check.CHECKS[name].functions}).as_dict()")},
        {"atomic": "not the attacks"}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_notebooks_score_nothing_within_the_limit(name, tmp_path):
    code, expected = HOSTILE[name]
    started = time.monotonic()
    result = graded(tmp_path, solutions.with_code(solutions.untouched(), **code), Limits(cell=6, wall=600))
    assert time.monotonic() - started < LIMITS.wall
    assert result.problem == "" and result.points == 0, reasons(result)
    said = result.notes + [f"{mark.check.partition('/')[2]}: {mark.reason}" for mark in result.marks]
    for place, words in expected.items():
        assert [each for each in said if each.startswith(f"{place}: ") and words in each], (place, said)


def test_checks_edited_deleted_and_answered_by_hand(tmp_path):
    nb = solutions.untouched()
    solutions.cells(nb, "atomic").source = "print('atomic: correct')"
    nb.cells.remove(solutions.cells(nb, "once"))
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.execution_count = 7
            cell.outputs = [nbformat.v4.new_output("stream", text="correct, 10 of 10 points")]
    result = graded(tmp_path, nbformat.writes(nb))
    assert result.points == 0
    assert "check atomic was edited: restored" in result.notes and "check once was missing: restored" in result.notes


def test_who_kills_the_grader_is_not_graded(tmp_path):
    result = graded(tmp_path, solutions.with_code(solutions.full(), handle=f"def handle(db, delivery):\n    {KILL}"))
    assert result.points is None and "SIGKILL" in result.problem


def test_the_wall_time_holds_and_nothing_is_left_running(tmp_path, monkeypatch):
    monkeypatch.setattr(run_module, "TOKEN", "COURSE_RUN_OF_THIS_TEST")
    code = "import time\ntime.sleep(1000)"
    started = time.monotonic()
    result = graded(tmp_path, solutions.with_code(solutions.full(), place_order=code), Limits(cell=1000, wall=10))
    assert result.points is None and "ran out" in result.problem
    assert time.monotonic() - started < 100  # the notebook would have slept for a thousand
    assert not [process for process in psutil.process_iter() if run_module.TOKEN in environment(process)]


def environment(process) -> dict:
    """A process's environment; empty if it has just ended."""
    with suppress(psutil.Error):
        return process.environ()
    return {}


@pytest.mark.parametrize("text, words", [
    (DAMAGED, "not a notebook"),
    ('{"metadata": {"course": {"exercise": "outbox"}}, "nbformat": 4, "nbformat_minor": 5}', "not a notebook"),
    ('{"metadata": {"course": {"exercise": "outbox"}}, "nbformat": 4, "nbformat_minor": 5, "cells": [1, null]}',
     "not a notebook"),
])
def test_damaged_files_score_nothing_with_the_reason(text, words, tmp_path):
    result = graded(tmp_path, text)
    assert result.points == 0 and result.possible == 10 and words in reasons(result)


@pytest.mark.parametrize("text", ["", "no json", '{"metadata": {"course": {"exercise": "../../etc"}}}'])
def test_what_is_no_exercise_is_not_graded(text, tmp_path):
    result = graded(tmp_path, text)
    assert result.points is None and "which exercise" in result.problem


def test_a_folder_with_a_bad_submission_is_graded_to_its_end_whatever_the_environment_says(tmp_path):
    folder = tmp_path / "class"
    for who, content in {"ada": solutions.text(solutions.full()), "bob": "no json", "cyd": DAMAGED,
                         "ada/.ipynb_checkpoints": solutions.text(solutions.full())}.items():
        (folder / who).mkdir(parents=True, exist_ok=True)
        (folder / who / "exercise.ipynb").write_text(content, encoding="utf-8")
    out, junit = tmp_path / "out.json", tmp_path / "out.xml"
    command = [sys.executable, "-m", "exercises.grade", str(folder), "--json", str(out), "--junit", str(junit)]
    confusing = os.environ | {"PYTEST_ADDOPTS": "--collect-only", "PYTEST_PLUGINS": "no_such_plugin"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=confusing)
    assert done.returncode == 2, done.stdout + done.stderr
    ada, bob, cyd = json.loads(out.read_text(encoding="utf-8"))["submissions"]
    assert (ada["points"], bob["points"], cyd["points"]) == (10, None, 0)
    assert (ada["status"], bob["status"]) == ("graded", "not graded")
    assert ada["checks"]["outbox/atomic"] == {"outcome": "correct", "points": 2, "possible": 2, "reason": ""}
    suites = ElementTree.parse(junit).getroot()
    assert [(suite.get("failures"), suite.get("errors")) for suite in suites] == [("0", "0"), ("0", "1"), ("6", "0")]
    assert "10 of 10 points" in done.stdout and "NOT GRADED" in done.stdout and "0 of 10 points" in done.stdout


def test_no_submission_at_all_is_not_success(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2
    assert "no notebook found" in capsys.readouterr().out
