"""Whole gradings: what is right gets its points, and nothing that a notebook does to the grader earns one."""
import json
import subprocess
import sys
import time
from xml.etree import ElementTree

import outbox_solutions as solutions
import psutil
import pytest
from exercises.grade import main
from exercises.grader.grading import grade
from exercises.grader.run import Limits, run

SEEDS = [101, 102]
DAMAGED = '{"metadata": {"course": {"exercise": "outbox"}}, "cells": [{"cell_ty'
LIMITS = Limits(cell=10, wall=90)


def graded(tmp_path, nb, limits=LIMITS):
    """The result of grading a notebook (or any text) as a submission."""
    path = tmp_path / "exercise.ipynb"
    path.write_text(nb if isinstance(nb, str) else solutions.text(nb), encoding="utf-8")
    return grade(path, SEEDS, limits)


def reasons(result) -> str:
    """Everything the grader has to say."""
    return " | ".join([result.problem, *result.notes, *(mark.reason for mark in result.marks)])


def test_the_reference_gets_full_points_whatever_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "--collect-only")
    monkeypatch.setenv("PYTEST_PLUGINS", "no_such_plugin")
    path = tmp_path / "exercise.ipynb"
    path.write_text(solutions.text(solutions.full()), encoding="utf-8")
    assert main([str(path), "--json", str(tmp_path / "out.json")]) == 0
    (entry,) = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["submissions"]
    assert (entry["points"], entry["possible"], entry["notes"], entry["flags"]) == (10, 10, [], [])


def test_the_untouched_notebook_scores_nothing(tmp_path):
    result = graded(tmp_path, (solutions.FOLDER / "exercise.ipynb").read_text(encoding="utf-8"))
    assert (result.points, result.possible, result.notes) == (0, 10, [])
    assert {mark.outcome for mark in result.marks} == {"not attempted"}


def test_the_untouched_notebook_runs_from_top_to_bottom_without_an_error():
    outcome = run((solutions.FOLDER / "exercise.ipynb").read_text(encoding="utf-8"), [])
    assert {cell["outcome"] for cell in outcome.cells} == {"passed"}, outcome
    assert len(outcome.cells) == len(solutions.notebooks.code_cells(solutions.source()))


def test_another_solution_gets_full_points_and_a_mutant_loses_those_it_should(tmp_path):
    assert graded(tmp_path, solutions.with_file("alternatives", "dead_letters")).full
    result = graded(tmp_path, solutions.with_file("mutants", "ox20_memory_set"))
    assert [mark.check for mark in result.marks if not mark.points] == ["outbox/once", "outbox/pipeline"]
    assert "twice" in reasons(result) and "after COMMIT, before ack" in reasons(result)


def test_accidents_cost_nothing(tmp_path):
    nb = solutions.full()
    solutions.cells(nb, "relay").source = "check.relay(relay_once)  # I ran this twice"
    twice = next(cell for cell in nb.cells if solutions.about(cell).get("answer") == "handle")
    nb.cells.append(solutions.deepcopy(twice))
    nb.cells[-1].id = "pasted"
    nb.cells.insert(0, solutions.notebook_cell("import time; time.sleep(1000)"))
    nb.cells.append(solutions.notebook_cell("%matplotlib inline\nundefined_name"))
    result = graded(tmp_path, nb, Limits(cell=8, wall=90))
    assert result.full, reasons(result)
    assert "took too long" in reasons(result) and "undefined_name" in reasons(result)


ANSWERS = {"place_order": "db, broker, order", "relay_once": "db, broker", "handle": "db, delivery"}


def every(body: str, head: str = "") -> str:
    """All three functions with the same body."""
    return head + "".join(f"\ndef {name}({arguments}):\n    {body}\n" for name, arguments in ANSWERS.items())


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

# name: (code appended to the first answer, or all of a cell's source; what the grader must say)
HOSTILE = {
    "endless loop": (every("while True: pass"), "took too long"),
    "loop that swallows interrupts": (every("""
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass""", "import time"), "took too long"),
    "os._exit in a function": (every("os._exit(0)", "import os"), "the kernel died"),
    "os._exit in a cell": ("import os; os._exit(0)", "the kernel died"),
    "sys.exit in a function": (every("sys.exit(0)", "import sys"), "SystemExit"),
    "syntax error": ("def place_order(db, broker, order:\n    return", "SyntaxError"),
    "10 GB in a function": (every("bytearray(10 ** 10)"), "MemoryError"),
    "10 GB in a cell": ("everything = bytearray(10 ** 10)", "MemoryError"),
    "all cells turned into pass": (TRANSFORM.format(condition="True"), "cells were switched off"),
    "check cells turned into pass": (TRANSFORM.format(condition="'check.' in ''.join(lines)"), "switched off"),
    "checks replaced in the kernel": (
        "for name in check.CHECKS: setattr(check, name, lambda *a, **k: 'correct')", "switched off"),
    "rules replaced in the kernel": (NAIVE + """
from exercises.outbox import rules
rules.finding, rules.unattempted = lambda *a, **k: None, lambda run: False
""", "after COMMIT, before publish"),
    "evidence written by hand, checks off": (
        TRANSFORM.format(condition="'check.' in ''.join(lines)")
        + "nothing = dict.fromkeys(['place_order', 'relay_once', 'handle'], lambda *a: None)\n"
        + FORGE.format(content="check.attack(name, {f: nothing[f] for f in check.CHECKS[name].functions}).as_dict()"),
        "not the attacks"),
    "deletes its folder": ("import os, shutil; shutil.rmtree(os.getcwd())", "FileNotFoundError"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_notebooks_score_nothing_within_the_limit(name, tmp_path):
    code, words = HOSTILE[name]
    started = time.monotonic()
    last = "handle" if "def handle" in code else "place_order"
    result = graded(tmp_path, solutions.with_cell(solutions.untouched(), code, last))
    assert time.monotonic() - started < LIMITS.wall
    assert result.problem == "" and result.points == 0, reasons(result)
    assert words in reasons(result)


def test_checks_edited_deleted_and_answered_by_hand(tmp_path):
    nb = solutions.untouched()
    solutions.cells(nb, "atomic").source = "print('atomic: correct')"
    nb.cells.remove(solutions.cells(nb, "once"))
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.execution_count = 7
            cell.outputs = [solutions.nbformat.v4.new_output("stream", text="correct, 10 of 10 points")]
    result = graded(tmp_path, solutions.nbformat.writes(nb))
    assert result.points == 0
    assert "check atomic was edited: restored" in result.notes and "check once was missing: restored" in result.notes


def test_who_kills_the_grader_is_not_graded(tmp_path):
    result = graded(tmp_path, solutions.with_cell(solutions.full(), every(KILL), "handle"))
    assert result.points is None and "SIGKILL" in result.problem


def test_the_wall_time_holds_and_nothing_is_left_running(tmp_path):
    code = ("import subprocess, time\n"
            "child = subprocess.Popen(['sleep', '4321'], start_new_session=True)\n"
            "time.sleep(1000)")
    started = time.monotonic()
    result = graded(tmp_path, solutions.with_cell(solutions.full(), code), Limits(cell=1000, wall=10))
    assert result.points is None and "ran out" in result.problem
    assert time.monotonic() - started < 20
    assert not [process for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"] == ["sleep", "4321"]]


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


def test_a_folder_with_a_bad_submission_is_graded_to_its_end(tmp_path):
    folder = tmp_path / "class"
    for who, content in {"ada": solutions.text(solutions.full()), "bob": "no json", "cyd": DAMAGED,
                         "ada/.ipynb_checkpoints": solutions.text(solutions.full())}.items():
        (folder / who).mkdir(parents=True, exist_ok=True)
        (folder / who / "exercise.ipynb").write_text(content, encoding="utf-8")
    out, junit = tmp_path / "out.json", tmp_path / "out.xml"
    command = [sys.executable, "-m", "exercises.grade", str(folder), "--json", str(out), "--junit", str(junit)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
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
