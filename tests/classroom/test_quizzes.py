"""Quizzes: three states, a reason for every choice."""
import pytest
from classroom import progress, quiz

REASONS = {"On receipt.": "Then a crash loses it.", "On `ack`.": "Yes, once the work is done."}
QUESTION = ("00-ack", "When is a message deleted?", REASONS)


def ask(show, **options):
    return show(quiz, *QUESTION, answer="On `ack`.", **options)


def test_three_states(show):
    html, text = ask(show)
    assert "○ not attempted" in text and "Then a crash" not in text
    assert "<details><summary>Answer and reasons" in html and "<code>ack</code>" in html
    _, text = ask(show, choose="On receipt.")
    assert "◐ not yet" in text and text.endswith("Then a crash loses it.")
    _, text = ask(show, choose="On `ack`.")
    assert "● right" in text and "once the work is done" in text


def test_attempts_are_kept_and_right_stays_right(show):
    for choice in ("On receipt.", "On `ack`.", "On receipt."):
        ask(show, choose=choice)
    record = progress.get("quizzes", "00-ack")
    assert record["right"] and record["tries"] == ["On receipt.", "On `ack`.", "On receipt."]


@pytest.mark.parametrize("choices, answer, words", [
    ({"a": "x", "b": " "}, "a", "choices: 'b' has no reason"),
    ({"a": "x", "b": "y"}, "c", "answer: 'c' is not one of 'a', 'b'"),
    ({"a": "x"}, "a", "must be 2 to 10 different answers"),
])
def test_unfinished_quizzes_are_refused(choices, answer, words):
    with pytest.raises(ValueError, match=words):
        quiz("00-x", "Which?", choices, answer=answer)
