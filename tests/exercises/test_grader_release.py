"""The learner's notebook comes from its source byte for byte, and mistakes in the marks are refused."""
import re

import nbformat
import outbox_solutions as solutions
import pytest
from exercises.grader.assemble import assemble
from exercises.grader.lint import flags
from exercises.grader.release import STUB, about, blocks, checks, learners
from graded import files, source


def notebook_of(*sources):
    cells = [nbformat.v4.new_code_cell(source, id=f"c{n}") for n, source in enumerate(sources)]
    return nbformat.v4.new_notebook(cells=cells)


def test_an_editor_does_not_touch_the_checks():
    for cell in checks(solutions.untouched()):
        assert cell.metadata.editable is False and cell.metadata.deletable is False


def test_a_stub_stands_at_the_indentation_of_its_mark():
    nb = learners(notebook_of("def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"))
    assert nb.cells[0].source == f"def f():\n    {STUB}"


@pytest.mark.parametrize("source, problem", [
    ("### BEGIN SOLUTION\nx = 1", "BEGIN SOLUTION is never closed"),
    ("x = 1\n### END SOLUTION", "line 2: END SOLUTION inside no block"),
    ("### BEGIN SOLUTION\n### BEGIN HIDDEN TESTS\n", "line 2: BEGIN HIDDEN TESTS inside SOLUTION"),
    ("### BEGIN SOLUTION\n### END HIDDEN TESTS\n", "line 2: END HIDDEN TESTS inside SOLUTION"),
])
def test_a_wrong_mark_is_an_error_that_names_the_cell(source, problem):
    with pytest.raises(ValueError, match=f"cell c0.*{re.escape(problem)}"):
        blocks(notebook_of(source).cells[0])


def ids(nb):
    """The answers and checks of a notebook in their sequence."""
    return [about(cell).get("answer") or about(cell).get("id") for cell in nb.cells
            if cell.cell_type == "code" and ("answer" in about(cell) or "id" in about(cell))]


IN_ORDER = ["place_order", "atomic", "relay_once", "relay", "order", "poison", "handle", "once", "pipeline"]


def test_checks_stand_behind_the_answers_they_need_and_a_canary_at_the_end():
    nb, notes = assemble(solutions.full(), source("outbox"), [7, 8])
    assert ids(nb) == IN_ORDER and notes == []
    assert "seeds=[7, 8]" in solutions.text(nb)
    assert about(nb.cells[-1]) == {"canary": True}


def test_checks_follow_the_last_copy_of_an_answer():
    nb = solutions.full()
    first = next(cell for cell in nb.cells if about(cell).get("answer") == "place_order")
    nb.cells.append(first)
    fixed, _ = assemble(nb, source("outbox"), [1])
    assert ids(fixed) == ["place_order", *IN_ORDER[2:8], "place_order", "atomic", "pipeline"]


def test_what_was_done_to_the_checks_is_undone_and_noted():
    nb = solutions.full()
    solutions.cells(nb, "atomic").source = "'correct'"
    nb.cells.remove(solutions.cells(nb, "once"))
    fixed, notes = assemble(nb, source("outbox"), [1])
    assert ids(fixed) == IN_ORDER
    assert notes == ["check atomic was edited: restored", "check once was missing: restored"]


def test_outputs_tags_and_markers_do_not_survive():
    nb = solutions.full()
    cell = next(cell for cell in nb.cells if about(cell).get("answer") == "handle")
    cell.metadata.tags, cell.execution_count = ["nbval-skip", "raises-exception"], 7
    cell.outputs = [nbformat.v4.new_output("stream", text="10 of 10 points")]
    cell.source = "# NBVAL_SKIP\n" + cell.source
    fixed, notes = assemble(nb, source("outbox"), [1])
    text = solutions.text(fixed)
    assert not [trace for trace in ("nbval-skip", "raises-exception", "NBVAL_SKIP", "10 of 10") if trace in text]
    assert notes == ["a marker for nbval was removed from a cell"]


@pytest.mark.parametrize("source, flag", [
    ("get_ipython().input_transformers_cleanup.append(f)", "rewrites cells"), ("import os; os._exit(0)", "_exit"),
    ("check.atomic = lambda f: 'correct'", "replaces something"), ("open('../source.md').read()", "source.md"),
    ("import sys; sys.modules['exercises'] = None", "modules"), ("class A:\n def __eq__(s, o): return True", "__eq__"),
    ("from exercises.outbox.alternatives import pipelined", "alternatives"), ("!cat /etc/passwd", "shell")])
def test_tricks_are_flagged(source, flag):
    assert any(flag in each for each in flags(notebook_of(source)))


@pytest.mark.parametrize("name", files("outbox", "alternatives"))
def test_honest_work_is_not_flagged(name):
    assert flags(solutions.with_file("alternatives", name)) == []
    assert flags(notebook_of("%matplotlib inline\nx = 1", "this is no python", "sys.exit()")) == []
