"""Predict, commit, run, compare: a number met after guessing it is a number remembered.

    predict("00-slowest", "How long does the slowest 1 % wait?", unit="ms")
    run = simulate(...)
    reveal("00-slowest", run.latency.quantile(0.99) * 1000, because="one partition had lost its leader")
    calibration("00")
"""
import math
import re
from collections.abc import Sequence
from statistics import median

from . import progress
from .cards import BLUE, GREY, ORANGE, Card, Place, lettered_list, words
from .forms import ask, check_among, check_choices, check_id, lettered

asked: dict[str, dict] = {}  # the choices and the unit of every question this notebook has put


def predict(id: str, question: str, choices: Sequence[str] = (), *, unit: str = "", answer=None) -> None:
    """Ask for a prediction: one of `choices`, or a number in `unit`; `answer=` commits it without a form."""
    check_id(id)
    if choices:
        check_choices(choices)
    place = Place()

    def commit(given) -> None:
        place.show(question_card(id, question, choices, unit, commit_answer(id, question, choices, unit, given)))

    asked[id] = {"choices": list(choices), "unit": unit}
    if not recorded(id):
        progress.drop("predictions", id)
    if answer is not None:
        return commit(answer)
    place.show(question_card(id, question, choices, unit))
    if not is_revealed(id):
        ask(choices, unit, "Commit", commit)


def reveal(id: str, measured, because: str = "", how: str = "measured") -> None:
    """Show what was measured, or `how` else it was found, beside what was predicted, how far apart they are and why."""
    check_id(id)
    record = recorded(id)
    question = record or asked.get(id, {"choices": [], "unit": ""})
    if question["choices"]:
        check_among(f"{id}: measured", measured, question["choices"])
    elif record:
        measured = float(measured)
    if record:
        record = progress.put("predictions", id, measured=measured, revealed=record.get("revealed", progress.now()))
    Place().show(outcome_card(record, question["unit"], measured, because, how))


def calibration(chapter: str = "") -> None:
    """How good the predictions of a chapter (`"00"`) were, all together: a figure, and the same in words."""
    records = progress.load()["predictions"].items()
    done = {id: record for id, record in records if id.startswith(chapter) and "revealed" in record}
    Place().show(calibration_picture(done) if done else nothing_yet())


def recorded(id: str) -> dict | None:
    """The committed prediction, unless the question has other choices or another unit by now."""
    record = progress.get("predictions", id)
    return record if record and asked.get(id, {}).items() <= record.items() else None


def is_revealed(id: str) -> bool:
    return "revealed" in (recorded(id) or {})


def commit_answer(id: str, question: str, choices: Sequence[str], unit: str, given) -> str:
    """Record the prediction, unless its result is known already; returns what to tell the learner if it was not."""
    if is_revealed(id):
        return "You have seen the result since, so your earlier prediction stands."
    try:
        answer = choice_of(choices, given) if choices else number_of(given)
    except ValueError as error:
        return str(error)
    fields = {"question": question, "choices": list(choices), "unit": unit, "answer": answer}
    progress.put("predictions", id, **fields, committed=progress.now())
    return ""


def choice_of(choices: Sequence[str], given) -> str:
    check_among("answer", given, choices)
    return given


def number_of(given) -> float:
    """The number in what was typed: `12.5`, `1e3`, `10_000` and `10,000` are all understood."""
    typed = str(given).strip()
    try:
        number = float(typed.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d*)?", typed) else typed)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"answer: {given!r} must be a number, such as 12.5")
    return number


# What is shown

def question_card(id: str, question: str, choices: Sequence[str], unit: str, complaint: str = "") -> Card:
    state = complaint or state_of(recorded(id), unit)
    options = lettered_list(map(words, choices)) if choices else ""
    body = f'<p><span class="kind">Predict first.</span> {words(question)}</p>{options}'
    text = "\n".join(["Predict first. " + question, *lettered(choices), state])
    return Card(f'{body}<p role="status">{words(state)}</p>', text, label="prediction")


def state_of(record: dict | None, unit: str) -> str:
    if not record:
        wanted = f"; answer in {unit}" if unit else ""
        return f"Nothing committed yet{wanted}. A wrong guess teaches as much as a right one."
    committed = f"You predicted {amount(record['answer'], unit)} on {day(record['committed'])}."
    return committed + (f" Measured since: {amount(record['measured'], unit)}." if "revealed" in record else "")


def outcome_card(record: dict | None, unit: str, measured, because: str, how: str = "measured") -> Card:
    verdict = distance(record) if record else "No prediction was committed, and that is fine: guess the next one."
    found = said(record, how) if record else f"{how} {amount(measured, unit)}"
    lines = [f"{found[0].upper()}{found[1:]}.", verdict, because]
    body = "".join(f"<p>{words(line)}</p>" for line in lines if line)
    tone = BLUE if record and is_near(record) else GREY
    return Card(body, "\n".join(filter(None, lines)), tone=tone, label="outcome")


def amount(value, unit: str) -> str:
    """The answer as a sentence holds it: `12.4 ms`, `12,400 ms`, or a choice in quotation marks."""
    if isinstance(value, str):
        return f"“{value}”"
    number = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{number} {singular(unit) if number == '1' else unit}".strip()


def singular(unit: str) -> str:
    """`record` for `records`, `try` for `tries`; `ms` and `MB/s` stay."""
    if len(unit) <= 2 or "/" in unit:
        return unit
    return f"{unit[:-3]}y" if unit.endswith("ies") else unit.removesuffix("s")


def day(moment: str) -> str:
    return moment[:16].replace("T", " at ")


def nothing_yet() -> Card:
    note = "No prediction was committed and revealed here yet. Commit the next one: guessing wrong is how it sticks."
    return Card(f"<p>{note}</p>", note, tone=GREY, label="calibration")


def factor(record: dict) -> float | None:
    """Measured over predicted, where a ratio means something."""
    answer, measured = record["answer"], record["measured"]
    return None if record["choices"] or answer * measured <= 0 else measured / answer


def is_near(record: dict) -> bool:
    """Right choice, or a number within a factor of two."""
    ratio = factor(record)
    return record["answer"] == record["measured"] if ratio is None else 0.5 <= ratio <= 2


def distance(record: dict) -> str:
    """The prediction's error, in words."""
    if record["choices"]:
        return "Your prediction was right." if is_near(record) else "Your prediction was another one."
    ratio = factor(record)
    if ratio is None:
        off = amount(record["measured"] - record["answer"], record["unit"])
        return "Exactly right." if is_near(record) else f"The difference is {off}; a ratio says nothing around zero."
    if 0.8 <= ratio <= 1.25:
        return "Within a quarter: you have a feeling for this."
    size = f"{ratio:.1f} times what" if ratio > 1 else f"{1 / ratio:.1f} times smaller than"
    grade = "The right order of magnitude" if is_near(record) else "Further off than a factor of two"
    return f"{grade}: the measurement is {size} you predicted."


def calibration_picture(done: dict[str, dict]):
    """One row a prediction: how many times the guess the measurement was; filled near, hollow far."""
    from simulator.views.picture import picture, words as name_axes

    figure, (axis,) = picture(finding(done), in_words(done), height=0.4 + 0.32 * len(done), left=1.9)
    axis.axvspan(0.5, 2, color=BLUE, alpha=0.12, lw=0)
    axis.axvline(1, color=BLUE, lw=1)
    for row, record in enumerate(done.values()):
        marker, fill, edge = ("o", BLUE, BLUE) if is_near(record) else ("D", "white", ORANGE)
        axis.plot(place_of(record), row, marker, ms=9, mfc=fill, mec=edge)
    axis.set(xscale="log", xlim=(0.04, 25), ylim=(len(done) - 0.5, -0.5))
    axis.set_yticks(range(len(done)), list(done))
    axis.set_xticks([0.05, 0.1, 0.5, 1, 2, 10, 20], ["1/20", "1/10", "1/2", "1", "2", "10", "20"])
    axis.minorticks_off()
    name_axes(axis, x="measured ÷ predicted (hollow diamond: further off, or another choice)")
    return figure


def place_of(record: dict) -> float:
    """Where the row's marker stands; what has no ratio stands at 1 when right and at the edge when not."""
    ratio = factor(record)
    return (1 if is_near(record) else 20) if ratio is None else min(max(ratio, 0.05), 20)


def finding(done: dict[str, dict]) -> str:
    return f"{sum(map(is_near, done.values()))} of {len(done)} predictions were right or within a factor of two"


def in_words(done: dict[str, dict]) -> str:
    """Every prediction with its measurement, and which way the numbers lean."""
    ratios = [ratio for record in done.values() if (ratio := factor(record))]
    rows = [f"{id}: {said(record)}." for id, record in done.items()]
    return " ".join(([leaning(median(ratios))] if ratios else []) + rows)


def said(record: dict, how: str = "measured") -> str:
    unit = record["unit"]
    return f"predicted {amount(record['answer'], unit)}, {how} {amount(record['measured'], unit)}"


def leaning(middle: float) -> str:
    lean = "about right" if 0.8 <= middle <= 1.25 else f"too {'low' if middle > 1 else 'high'}"
    return f"Your numbers were {lean} on the whole: in the middle, measured was {middle:.2g} times predicted."
