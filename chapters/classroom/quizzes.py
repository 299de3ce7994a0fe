"""Questions whose every choice has a reason: the wrong ones teach most."""
from collections.abc import Mapping

from . import progress
from .cards import BLUE, GREY, ORANGE, Card, Place, lettered_list, words
from .forms import ask, check_among, check_choices, check_id, lettered

STATES = {"not attempted": ("○", GREY), "not yet": ("◐", ORANGE), "right": ("●", BLUE)}


def quiz(id: str, question: str, choices: Mapping[str, str], *, answer: str, choose: str | None = None) -> None:
    """Ask a question whose `choices` map each answer to its reason; `choose=` answers it without a form."""
    check_quiz(id, choices, answer)
    place = Place()

    def attempt(chosen: str) -> None:
        record_attempt(id, chosen, choices, answer)
        place.show(quiz_card(id, question, choices, answer))

    if choose is not None:
        return attempt(choose)
    place.show(quiz_card(id, question, choices, answer))
    ask(list(choices), "", "Check", attempt)


def check_quiz(id: str, choices: Mapping[str, str], answer: str) -> None:
    check_id(id)
    check_choices(list(choices))
    check_among("answer", answer, list(choices))
    bare = [choice for choice, reason in choices.items() if not reason.strip()]
    if bare:
        raise ValueError(f"choices: {bare[0]!r} has no reason; every choice needs one")


def record_attempt(id: str, chosen: str, choices: Mapping[str, str], answer: str) -> dict:
    """Keep every attempt; once right, a quiz stays right."""
    check_among("choose", chosen, list(choices))
    before = progress.get("quizzes", id) or {"tries": []}
    right = before.get("right") or chosen == answer
    return progress.put("quizzes", id, tries=[*before["tries"], chosen], right=right, last=progress.now())


def state_of(record: dict | None) -> str:
    return "not attempted" if not record else "right" if record["right"] else "not yet"


def quiz_card(id: str, question: str, choices: Mapping[str, str], answer: str) -> Card:
    record = progress.get("quizzes", id)
    state = state_of(record)
    sign, tone = STATES[state]
    chosen = record["tries"][-1] if record else None
    feedback = f"“{chosen}”: {choices[chosen]}" if chosen in choices else ""
    reasons = [f"{'<b>Right.</b> ' if c == answer else ''}{words(c)}: {words(r)}" for c, r in choices.items()]
    body = (f'<p><span class="kind">Quiz.</span> {words(question)}</p>'
            f'{lettered_list(map(words, choices))}'
            f'<p role="status"><b>{sign} {state}</b> {words(feedback)}</p>'
            f'<details><summary>Answer and reasons</summary>{lettered_list(reasons)}</details>')
    text = "\n".join(filter(None, ["Quiz. " + question, *lettered(choices), f"{sign} {state}", feedback]))
    return Card(body, text, tone=tone, label=f"quiz, {state}")
