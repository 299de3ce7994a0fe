"""The house rules for every chapter: short code, enough prose, claims shown, predictions revealed, quizzes folded."""
import re
import tomllib

import numpy as np
import pytest
from classroom.places import CHAPTERS, FACTS
from reading import Chapter

NAMES = sorted(path.stem for path in CHAPTERS.glob("[0-9]*.md"))


@pytest.fixture(scope="module", params=NAMES)
def chapter(request) -> Chapter:
    return Chapter(request.param)


def lines_of(source: str) -> int:
    return sum(bool(line.strip()) and not line.startswith("#") for line in source.splitlines())


def words_of(source: str) -> int:
    return len(re.findall(r"\w[\w'’.-]*", re.sub(r"```.*?```", "", source, flags=re.S)))


def test_there_are_chapters():
    assert {"00-prologue", "02-kafka"} <= set(NAMES)


def test_code_cells_are_short(chapter):
    lines = [lines_of(source) for source in chapter.code]
    assert np.median(lines) <= 4 and np.quantile(lines, 0.95) <= 10


def test_there_is_enough_prose_and_not_too_much(chapter):
    assert 13 <= sum(map(words_of, chapter.prose)) / sum(map(lines_of, chapter.code)) <= 28
    assert 35 <= np.mean([words_of(source) for source in chapter.prose]) <= 45


def test_no_more_than_three_code_cells_in_a_row(chapter):
    kinds = "".join(cell.cell_type[0] for cell in chapter.cells)
    assert kinds.startswith("m") and "cccc" not in kinds


def test_every_claim_of_the_article_s_section_is_shown(chapter):
    """Of a part of a chapter, such as 02c, all claims: the article has no section for it."""
    prefix = "p-" if chapter.number == "00" else f"s{int(chapter.number)}-" if chapter.number.isdigit() else ""
    claims = tomllib.loads((FACTS / f"{chapter.name}.toml").read_text(encoding="utf-8"))
    known = {id for id in claims if id.startswith(prefix)}
    shown = {id for source in chapter.code if source.startswith("fact(") for id in re.findall(r'"([^"]+)"', source)}
    assert known and known <= shown


def test_every_prediction_is_revealed(chapter):
    asked, revealed = (set(re.findall(rf'{word}\("({chapter.number}-[^"]+)"', "\n".join(chapter.code)))
                       for word in ("predict", "reveal"))
    assert asked == revealed and len(asked) >= 5


def test_quizzes_are_folded_and_keep_their_answers_off_the_line_that_still_shows(chapter):
    quizzes = [cell for cell in chapter.cells if cell.cell_type == "code" and cell.source.startswith("quiz(")]
    assert len(quizzes) >= 4
    for cell in quizzes:
        assert cell.metadata.jupyter.source_hidden
        assert re.fullmatch(rf'quiz\("{chapter.number}-[\w-]+",', cell.source.splitlines()[0])
