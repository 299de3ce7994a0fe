"""Any model's code opens in place."""
import pytest
from classroom import progress, source_of
from classroom.facts import Fact, lookup


@pytest.mark.parametrize("thing, name, line", [
    (lookup, "lookup", "def lookup(id: str) -> Fact:"),
    (Fact, "Fact", "class Fact:"),
    (lookup("p-01"), "Fact", "class Fact:"),
    (progress, "classroom.progress", "KINDS = "),
])
def test_functions_classes_objects_and_modules(show, thing, name, line):
    html, text = show(source_of, thing)
    assert text.startswith(f"{name}, ") and ": chapters/classroom/" in text.splitlines()[0] and line in text
    assert "<details><summary>" in html and "var(--jp-mirror-editor-keyword-color)" in html


def test_what_has_no_source_is_refused():
    with pytest.raises(ValueError, match="has no Python source to show"):
        source_of(len)
