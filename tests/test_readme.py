"""The README and the instructors' page list the notebooks there are, with the questions and minutes these state."""
import re
from pathlib import Path

import nbformat
import pytest
from classroom import timetable
from classroom.places import CHAPTERS, LABS, ROOT

NOTEBOOKS = [*sorted(CHAPTERS.glob("*.ipynb")), *sorted(LABS.glob("*.ipynb")),
             *sorted(ROOT.glob("exercises/*/exercise.ipynb"))]
README, INSTRUCTORS = (ROOT / name for name in ("README.md", "INSTRUCTORS.md"))


def course(path: Path) -> dict:
    """What a notebook says of itself: its question (exercises have none) and minutes."""
    return nbformat.read(path, as_version=4).metadata.course


def name(path: Path) -> str:
    return path.parent.name if path.stem == "exercise" else path.stem


def rows(page: Path, columns: int) -> list[list[str]]:
    """The cells of the page's tables with so many columns."""
    found = re.findall(r"^\|(.+)\|$", page.read_text(encoding="utf-8"), re.M)
    return [[cell.strip() for cell in row.split("|")] for row in found if row.count("|") == columns - 1]


def test_the_table_lists_every_notebook_with_its_question_and_minutes():
    table = {ROOT / match[1]: (question, int(minutes)) for link, question, minutes in rows(README, 3)
             if (match := re.search(r"\((.+\.ipynb)\)", link))}
    assert list(table) == NOTEBOOKS
    for path, (question, minutes) in table.items():
        assert (question, minutes) == (course(path).get("question", question), course(path)["minutes"])


def test_the_timetable_lists_every_notebook_with_its_minutes():
    expected = [[name(path), str(course(path)["minutes"])] for path in NOTEBOOKS]
    assert [row for row in rows(INSTRUCTORS, 2) if row[1].isdigit()] == expected


@pytest.mark.parametrize("plan, hours", [("Two hours", 2), ("Two days, the first", 6.5), ("Two days, the second", 6.5)])
def test_a_workshop_fits_its_hours(plan, hours):
    written = re.search(rf"^- \*{plan}.*?:\*(.+?\.)(?: |$)", INSTRUCTORS.read_text(encoding="utf-8"), re.M | re.S)[1]
    *lines, end = timetable.rows(written.strip(" .").replace(",", " ").split(), begins=0)
    assert len(lines) >= 3 and end[:5] <= f"{int(hours):02}:{int(60 * (hours % 1)):02}"


@pytest.mark.parametrize("page", [README, INSTRUCTORS], ids=lambda page: page.name)
def test_links_lead_somewhere_and_commands_exist(page):
    text = page.read_text(encoding="utf-8")
    assert [target for target in re.findall(r"\]\(([^)#]+)\)", text) if not (ROOT / target).exists()] == []
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"(?:^|`)make (\w+)", text, re.M)) <= targets


def test_the_picture_is_a_screenshot_of_bearable_size():
    assert (CHAPTERS / "pictures" / "player.png").stat().st_size < 300_000
