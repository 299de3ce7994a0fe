"""Results in every form somebody reads them in, the workflow for a class, and the way to nbgrader."""
import csv
import io
import re

import pytest
import yaml
from exercises.grade import options, write
from exercises.grader.grading import HOME, Mark, Result, available
from exercises.grader.nbgrader import export, exported
from exercises.grader.release import about, source_of
from exercises.grader.report import as_csv, as_summary
from nbformat import read

GRADED = Result("ada/exercise.ipynb", "outbox", [Mark("outbox/atomic", "correct", 2, 2),
                                                Mark("outbox/relay", "wrong", 0, 2, "lost: o1 | died, \"here\"")])
BROKEN = Result("bob/exercise.ipynb", "", problem="not a notebook")


def test_csv_has_a_row_for_each_check_and_one_for_what_was_not_graded():
    rows = list(csv.DictReader(io.StringIO(as_csv([GRADED, BROKEN]))))
    assert [(row["submission"], row["check"], row["points"], row["outcome"]) for row in rows] == [
        ("ada/exercise.ipynb", "atomic", "2", "correct"), ("ada/exercise.ipynb", "relay", "0", "wrong"),
        ("bob/exercise.ipynb", "", "", "not graded")]
    assert rows[1]["reason"] == 'lost: o1 | died, "here"'


def test_the_summary_is_a_table_with_the_points_and_what_is_missing():
    rows = as_summary([GRADED, BROKEN]).splitlines()[2:]
    assert rows == ["| ada/exercise.ipynb | outbox | 2 of 4 | **relay** wrong: lost: o1 \\| died, \"here\" |",
                    "| bob/exercise.ipynb |  | not graded | not a notebook |"]


def test_a_summary_goes_behind_what_others_have_written(tmp_path):
    page = tmp_path / "summary.md"
    page.write_text("before\n", encoding="utf-8")
    write(options(["x.ipynb", "--summary", str(page), "--csv", str(tmp_path / "points.csv")]), [GRADED])
    assert page.read_text(encoding="utf-8").startswith("before\n| submission")
    assert (tmp_path / "points.csv").read_text(encoding="utf-8") == as_csv([GRADED])


def test_the_workflow_grades_with_options_that_exist_and_installs_nothing_of_the_learners():
    workflow = yaml.safe_load((HOME / "grade-on-push.yml").read_text(encoding="utf-8"))
    steps = workflow["jobs"]["grade"]["steps"]
    command = next(step for step in steps if step.get("name") == "Grade")
    assert command["working-directory"] == "course"
    options(command["run"].split("exercises.grade")[1].split())  # argparse leaves the process if it does not know one
    assert all(step.get("working-directory") == "course" for step in steps if "run" in step)


@pytest.mark.parametrize("exercise", available())
def test_every_exercise_carries_what_nbgrader_needs(exercise, tmp_path):
    nb = read(export(HOME / exercise, tmp_path), as_version=4)
    kept = [cell.metadata.nbgrader for cell in nb.cells if "nbgrader" in cell.metadata]
    assert len({each.grade_id for each in kept}) == len(kept)
    assert sum(each.get("points", 0) for each in kept) == 10
    assert {each.solution for each in kept} == {True, False} and not any("UNSEEN" in cell.source for cell in nb.cells)


def test_there_a_hidden_test_raises_for_a_wrong_answer_and_for_no_right_one():
    cells = exported(source_of(HOME / "event_sourcing"), [7]).cells
    hidden = next(cell.source for cell in cells if about(cell).get("id") == "upcast")
    namespace = {}
    exec(next(cell.source for cell in cells if cell.source.startswith("import json")), namespace)
    exec(next(cell.source for cell in cells if about(cell).get("answer") == "upcast"), namespace)
    exec(hidden, namespace)
    namespace["upcast"] = lambda type, schema, data: data
    with pytest.raises(AssertionError, match="meaning: upcast"):
        exec(hidden, namespace)
    assert re.search(r"seeds=\[7\]\)\nassert verdict", hidden)


@pytest.mark.parametrize("option, value, sentence", [
    ("--json", "/nowhere/marks.json", "/nowhere/marks.json cannot be written"),
    ("--jobs", "0", "0 is not a whole number of at least 1"),
    ("--cell-seconds", "soon", "soon is not a number above 0"),
])
def test_a_wrong_option_is_refused_before_anything_is_graded(option, value, sentence, capsys):
    with pytest.raises(SystemExit):
        options(["a.ipynb", option, value])
    assert f"argument {option}: {sentence}" in capsys.readouterr().err
