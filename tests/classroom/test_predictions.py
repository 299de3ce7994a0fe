"""Predict, commit, run, compare."""
import pytest
from classroom import forms, predictions, progress
from classroom.predictions import calibration, predict, reveal

CHOICES = ["none", "some", "all"]


@pytest.fixture(autouse=True)
def new_notebook():
    predictions.asked.clear()


def test_a_number_is_committed_and_compared(show):
    predict("00-p99", "How long?", unit="ms", answer="5")
    html, text = show(reveal, "00-p99", 12.4, because="Two followers must answer.")
    assert text.splitlines() == ["Predicted 5 ms, measured 12.4 ms.",
                                 "Further off than a factor of two: the measurement is 2.5 times what you predicted.",
                                 "Two followers must answer."]
    assert all(line in html for line in text.splitlines())
    assert progress.get("predictions", "00-p99")["committed"] <= progress.now()


@pytest.mark.parametrize("answer, measured, words", [
    (10, 11, "Within a quarter"),
    (10, 18, "right order of magnitude: the measurement is 1.8 times what"),
    (10, 4, "Further off than a factor of two: the measurement is 2.5 times smaller than"),
    (0, 0, "Exactly right"),
    (0, 7, "The difference is 7"),
    (-3, 7, "The difference is 10"),
])
def test_the_distance_is_put_in_words(show, answer, measured, words):
    predict("00-x", "How many?", answer=answer)
    assert words in show(reveal, "00-x", measured)[1]


@pytest.mark.parametrize("measured, unit, words", [
    (1, "records", "Measured 1 record."), (1, "tries", "Measured 1 try."), (1, "ms", "Measured 1 ms."),
    (1, "MB/s", "Measured 1 MB/s."), (1.2, "times", "Measured 1.2 times.")])
def test_one_of_a_thing_is_said_as_one(show, measured, unit, words):
    predict("00-one", "How many?", unit=unit)
    assert words in show(reveal, "00-one", measured)[1]


@pytest.mark.parametrize("answer, words", [("some", "was right"), ("none", "was another one")])
def test_a_choice_is_right_or_another_one(show, answer, words):
    predict("00-lost", "Which are lost?", CHOICES, answer=answer)
    assert words in show(reveal, "00-lost", "some")[1]


def test_nothing_committed_is_fine(show):
    _, asked = show(predict, "00-p99", "How long does `acks=all` take?", unit="ms")
    assert "Nothing committed yet; answer in ms" in asked
    _, text = show(reveal, "00-p99", 3.2)
    assert text.startswith("Measured 3.2 ms.") and "that is fine" in text
    assert progress.get("predictions", "00-p99") is None
    assert "No prediction was committed" in show(calibration)[1]


def test_what_was_computed_is_not_called_measured(show):
    predict("00-month", "How many a month?", unit="orders", answer=30)
    assert "Predicted 30 orders, computed 15 orders." in show(reveal, "00-month", 15, how="computed")[1]


def test_a_prediction_may_change_until_its_result_is_seen(show):
    predict("00-p99", "How long?", answer=5)
    predict("00-p99", "How long?", answer=6)
    reveal("00-p99", 20)
    _, text = show(predict, "00-p99", "How long?", answer=20)
    assert "your earlier prediction stands" in text
    assert progress.get("predictions", "00-p99")["answer"] == 6


def test_calibration_says_what_its_figure_shows(show):
    for id, answer, measured in [("00-a", 1, 4), ("00-b", 10, 12), ("01-c", 1, 1)]:
        predict(id, "How many?", answer=answer)
        reveal(id, measured)
    predict("00-d", "Which?", CHOICES, answer="none")
    reveal("00-d", "some")
    html, text = show(calibration, "00")
    assert "1 of 3 predictions were right or within a factor of two" in text and "too low on the whole" in text
    assert "00-a: predicted 1, measured 4." in text and "01-c" not in text
    assert '<img alt="1 of 3 predictions were right or within a factor of two. Your numbers' in html


@pytest.mark.parametrize("typed", ["fast", "", "nan", "inf", "1.2.3", "0,5"])
def test_what_is_no_number_is_refused_in_words(typed):
    with pytest.raises(ValueError, match="answer: .* must be a number, such as 12.5"):
        predictions.number_of(typed)
    assert predictions.number_of("10,000") == predictions.number_of("1e4") == 10_000


def test_a_question_that_changed_is_asked_again(show):
    predict("00-lost", "Which?", CHOICES, answer="none")
    reveal("00-lost", "some")
    _, text = show(predict, "00-lost", "Which?", ["a few", "all"])
    assert "Nothing committed yet" in text
    assert "No prediction was committed" in show(reveal, "00-lost", "a few")[1]


def test_bad_questions_are_refused():
    with pytest.raises(ValueError, match="id: 'P99' must be lower-case words"):
        predict("P99", "How long?")
    with pytest.raises(ValueError, match="choices: .* must be 2 to 10 different answers"):
        predict("00-x", "Which?", ["one", "one"])
    predict("00-x", "Which?", CHOICES)  # a notebook that nobody answers still finds its author's slip
    with pytest.raises(ValueError, match="00-x: measured: 'most' is not one of 'none', 'some', 'all'"):
        reveal("00-x", "most")


def test_the_form_commits_what_is_chosen_or_typed(screen):
    for choices, value in [(CHOICES, "some"), ((), "12.5")]:
        with screen() as seen:
            got = []
            forms.ask(choices, "", "Commit", got.append)
        box = find_widget(seen.outputs[0])
        answer, button = box.children
        button.click()
        assert got == []  # nothing chosen yet
        answer.value = value
        button.click()
        assert got == [value]


def find_widget(output):
    from ipywidgets.widgets.widget import _instances
    return _instances[output.data["application/vnd.jupyter.widget-view+json"]["model_id"]]
