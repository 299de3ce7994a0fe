"""Notebooks in the repository are what their sources say, and their checks are switched on."""
import nbformat
import pytest
from classroom import build, notebooks
from classroom.places import CHAPTERS, LABS, notebook_of, shown, sources

SOURCE = """---
jupyter:
  course:
    question: Does it teach?
    minutes: 3
---

# A lesson

```python jupyter={"source_hidden": true}
from classroom import calibration, explore, fact, goal, predict, quiz, reveal, source_of
from matplotlib.figure import Figure
predict("99-a", "How many?", unit="ms")
predict("99-b", "Which?", ["one", "two"])
quiz("99-c", "Which?", {"one": "Yes.", "two": "No."}, answer="one")
goal("99-d", "Reach it.", lambda reached: reached)
fact("p-01")
source_of(quiz)
```

```python
reached = True
reveal("99-a", 3)
reveal("99-b", "one")
calibration("99")
```

```python
explore(lambda n=1: Figure(figsize=(1, 1)), n=(1, 3))
```

```python
# NBVAL_CHECK_OUTPUT
print(sum(range(5)))
```
"""


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    source = tmp_path_factory.mktemp("lesson") / "99-lesson.md"
    source.write_text(SOURCE, encoding="utf-8")
    return source


@pytest.fixture(scope="module")
def executed(lesson):
    """The lesson after a run by nobody, with every output."""
    return build.execute(notebooks.read(lesson), lesson.parent)


def test_a_build_keeps_checked_outputs_only_and_repeats_itself(lesson):
    assert build.build(lesson)
    kept = [cell for cell in notebooks.code_cells(nbformat.read(notebook_of(lesson), 4)) if cell.outputs]
    assert [cell.outputs[0].text for cell in kept] == ["10\n"] and kept[0].execution_count == 4
    assert not build.build(lesson)


def test_unattended_every_output_has_html_and_text_or_is_a_control(executed):
    cells = notebooks.code_cells(executed)
    bundles = [output.data for cell in cells for output in cell.outputs if "data" in output]
    widget = "application/vnd.jupyter.widget-view+json"
    assert sum(widget in data for data in bundles) == 4  # two predictions, a quiz, an explorable
    assert all("text/plain" in data and (widget in data or "text/html" in data) for data in bundles)
    texts = "\n".join(data["text/plain"] for data in bundles)
    assert "☑ Goal reached. Reach it." in texts and "Measured 3 ms." in texts


def test_the_page_works_offline(executed):
    from classroom.book import page
    html = page(executed)
    assert "<title>A lesson</title>" in html and "Goal reached" in html
    assert 'src="http' not in html and "widget-view" not in html and "require.min.js" not in html


def test_the_page_leaves_out_what_is_folded_and_leads_back(executed):
    from classroom.book import page
    html = page(executed)
    assert html.count("In\xa0[") == len(notebooks.code_cells(executed)) - 1 and "Answer and reasons" in html
    assert '<a href="index.html">' in html


def test_the_index_answers_what_and_how_long(lesson):
    from classroom.book import row
    assert row(lesson) == '<tr><td><a href="99-lesson.html">A lesson</a></td><td>Does it teach?</td><td>3</td></tr>'


# The repository's own notebooks

def test_every_notebook_has_its_source():
    generated = {notebook_of(source) for source in sources()}
    assert generated
    found = {path for folder in (CHAPTERS, LABS) for path in folder.glob("*.ipynb")}
    assert found == generated, f"run python -m classroom build; differing: {[shown(p) for p in found ^ generated]}"


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.stem)
def test_regenerating_changes_no_byte(source):
    committed = notebook_of(source).read_text(encoding="utf-8")
    fresh = notebooks.read(source)
    saved = nbformat.reads(committed, as_version=4)
    for cell, old in zip(notebooks.code_cells(fresh), notebooks.code_cells(saved)):
        cell.outputs, cell.execution_count = old.outputs, old.execution_count
    assert notebooks.render(fresh) == committed, f"run python -m classroom build {shown(source)}"


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.stem)
def test_checked_cells_are_switched_on(source):
    for cell in filter(notebooks.is_checked, nbformat.read(notebook_of(source), 4).cells):
        assert cell.execution_count and cell.outputs, f"{cell.id} checks nothing: run python -m classroom build"


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.stem)
def test_the_header_says_question_and_minutes(source):
    course = notebooks.read(source).metadata.get("course", {})
    assert course.get("question", "").endswith("?") and course.get("minutes", 0) > 0, shown(source)
