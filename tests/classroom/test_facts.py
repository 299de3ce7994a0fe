"""Every fact is complete, sourced and unique; a bad file is refused in one sentence."""
import pytest
from classroom import fact
from classroom.facts import VERDICTS, all_facts, is_source, lookup
from classroom.places import FACTS

GOOD = '[x-1]\nclaim = "C."\nverdict = "wrong"\ncorrection = "D."\nsource = ["https://example.org/a"]\ndate = "2026"\n'


def test_every_facts_file_is_valid():
    facts = all_facts(FACTS)
    assert {"p-01", "p-07", "s2-01", "s2-27"} <= set(facts)
    assert {item.verdict for item in facts.values()} == set(VERDICTS)
    assert all(is_source(source) for item in facts.values() for source in item.source)


@pytest.mark.parametrize("wrong, words", [
    (GOOD.replace('"wrong"', '"false"'), "x-1: verdict 'false' is not one of correct, imprecise, wrong, unverifiable"),
    (GOOD.replace('"C."', '""'), "x-1: claim must be a sentence, not ''"),
    (GOOD.replace('date = "2026"', "date = 2026"), "x-1: date must be a sentence, not 2026"),
    (GOOD.replace('date = "2026"', ""), "missing 1 required positional argument: 'date'"),
    (GOOD + 'author = "me"', "unexpected keyword argument 'author'"),
    (GOOD.replace("https://example.org/a", "a book"), "x-1: source must list addresses"),
    (GOOD.replace('["https://example.org/a"]', '"https://example.org/a"'), "x-1: source must list addresses"),
    (GOOD.replace('["https://example.org/a"]', "[]"), "x-1: source is empty"),
    (GOOD + GOOD, "Cannot declare"),
    ("[x-1", "00-x.toml"),
])
def test_a_bad_file_is_refused_in_one_sentence(tmp_path, wrong, words):
    (tmp_path / "00-x.toml").write_text(wrong, encoding="utf-8")
    with pytest.raises(ValueError, match="00-x.toml: ") as error:
        all_facts(tmp_path)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_an_id_used_in_two_files_is_refused(tmp_path):
    for name in ("00-x.toml", "01-y.toml"):
        (tmp_path / name).write_text(GOOD)
    with pytest.raises(ValueError, match="01-y.toml: x-1 is described twice"):
        all_facts(tmp_path)


def test_a_fact_is_shown_with_verdict_source_and_date(show):
    html, text = show(fact, "s2-22")
    item = lookup("s2-22")
    for part in (item.correction, item.date, "≈ Imprecise.", item.source[0]):
        assert part in html and part in text
    assert 'aria-label="checked claim, imprecise"' in html and f'href="{item.source[0]}"' in html


def test_repository_sources_become_links(show):
    assert 'href="https://github.com/apache/kafka-site"' in show(fact, "s2-05")[0]


def test_an_unknown_fact_is_refused():
    with pytest.raises(ValueError, match="fact: 's2-99' is not in chapters/facts; close to it: "):
        fact("s2-99")
