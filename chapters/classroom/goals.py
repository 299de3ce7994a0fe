"""Goals that tick themselves: the learner causes the condition, the notebook notices.

    goal("02-lose", "Lose a record that was acknowledged.", lambda run: run.losses)

A condition's parameters are names of notebook variables. After every cell, and after every move of an explorable,
each open goal whose variables exist is tried; once reached it stays reached.
"""
from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import signature

from . import progress
from .cards import BLUE, GREY, Card, Place, words
from .forms import check_id


@dataclass
class Goal:
    id: str
    sentence: str
    condition: Callable[..., object]
    place: Place = field(default_factory=Place)

    def is_met(self, variables: dict) -> bool:
        """Whether all the variables it speaks of exist, are what it speaks of, and the condition holds for them."""
        names = list(signature(self.condition).parameters)
        if not all(name in variables for name in names):
            return False
        try:
            return bool(self.condition(*(variables[name] for name in names)))
        except AttributeError:  # a `run` of another kind, perhaps of the learner's own making: no concern of this goal
            return False


open_goals: dict[str, Goal] = {}


def goal(id: str, sentence: str, condition: Callable[..., object] | bool) -> None:
    """Show a goal, ticked or not; `condition` is a fact known now or a function of notebook variables."""
    check_id(id)
    aim = Goal(id, sentence, condition if callable(condition) else lambda: condition)
    if aim.is_met({}):
        reach(aim)
    aim.place.show(goal_card(id, sentence))
    if not progress.get("goals", id):
        open_goals[id] = aim
        watch_cells()


def watch_cells() -> None:
    """Try the open goals after every cell of this notebook (registering the same function twice has no effect)."""
    from IPython import get_ipython

    if shell := get_ipython():
        shell.events.register("post_run_cell", after_cell)


def after_cell(result) -> None:
    from IPython import get_ipython

    try_goals(get_ipython().user_ns)


def try_goals(variables: dict) -> None:
    """Tick every open goal that the variables meet, where it stands and where the learner is."""
    for aim in [aim for aim in open_goals.values() if aim.is_met(variables)]:
        del open_goals[aim.id]
        reach(aim)
        for place in (aim.place, Place()):
            place.show(goal_card(aim.id, aim.sentence))


def reach(aim: Goal) -> None:
    progress.put("goals", aim.id, sentence=aim.sentence, reached=progress.now())


def goal_card(id: str, sentence: str) -> Card:
    record = progress.get("goals", id)
    sign, state, tone = ("☑", "Goal reached", BLUE) if record else ("☐", "Goal", GREY)
    body = f'<p role="status"><span class="kind">{sign} {state}.</span> {words(sentence)}</p>'
    return Card(body, f"{sign} {state}. {sentence}", tone=tone, label=state)
