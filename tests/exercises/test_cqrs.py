"""The checks of the read model accept what is right and reject each classic mistake for its own reason."""
import copy

import pytest
from exercises.cqrs import Event, Log, Plan, check, perform, picture, rules
from exercises.cqrs.log import lag_at, totals_at
from graded import Graded, pytest_generate_tests, reference, with_first_attempts  # noqa: F401

FUNCTIONS = ("project", "position", "read", "rebuild", "lag")
REFERENCE = reference("cqrs", FUNCTIONS)


class TestCqrs(Graded):
    exercise, functions, check = "cqrs", FUNCTIONS, check
    struck = (("once", "crash", {"BEGIN", "INSERT totals", "UPDATE totals", "REPLACE checkpoint", "COMMIT"}),)
    shrunk = (("state_then_checkpoint", "storm"),)
    secrets = ("FROM shadow",)


# The truth the models are compared with.

LOG = (Event(1, 10, "placed", "ada", 40), Event(3, 20, "renamed", "ada", 1), Event(4, 30, "placed", "ada", 2),
       Event(7, 50, "cancelled", "ada", 40))


def test_the_totals_at_a_position_hold_what_stands_up_to_there():
    assert [totals_at(LOG, position).get("ada") for position in (0, 2, 4, 7)] == [None, [1, 40], [2, 42], [1, 2]]


def test_the_lag_is_nothing_when_nothing_waits_and_the_age_of_the_oldest_otherwise():
    assert [lag_at(list(LOG), position, 100) for position in (7, 4, 1)] == [[0, 0], [1, 50], [3, 80]]
    assert lag_at(list(LOG), 1, 5) == [3, 0]  # by a clock that is behind the writers'


def test_a_log_is_read_behind_a_position_and_not_beyond_a_limit():
    log = Log(LOG)
    assert log.head() == 7 and [event.position for event in log.read(1, 2)] == [3, 4] and Log().head() == 0


def test_the_same_run_twice_is_the_same_run():
    plan = Plan(LOG, (("project", 0, 2), ("again", 0, 1)), crashes=(3,), pauses=(7,), meanwhile=(("project", 0, 1),),
                visible=4)
    assert perform(plan, REFERENCE) == perform(plan, REFERENCE)


# Near misses: evidence just inside a rule, then just outside.

ACTS = (("project", 0, 4), ("read", 0, "ada"), ("lag", 0))


def run_of(acts=ACTS, **changes):
    """A calm run of the reference, with something changed."""
    run = copy.deepcopy(perform(Plan(LOG, acts, visible=4), REFERENCE))
    for name, value in changes.items():
        setattr(run, name, value(getattr(run, name)))
    return run


def first(kind: str, **change):
    """Change the first answer of a kind."""
    def changed(answers):
        number = next(n for n, answer in enumerate(answers) if answer["kind"] == kind)
        return [answer | change if n == number else answer for n, answer in enumerate(answers)]
    return changed


@pytest.mark.parametrize("rule, change", [
    (rules.wrong, {"answers": first("read", returned=[7, 1, 3])}),
    (rules.wrong, {"answers": first("read", returned=[4, 1, 2])}),
    (rules.wrong, {"answers": first("read", returned=None)}),
    (rules.older, {"answers": first("read", token=8)}),
    (rules.unhelpful, {"answers": first("read", error="NotYet", token=7)}),
    (rules.mismeasured, {"answers": first("lag", returned=[0, 1])}),
    (rules.behind, {"models": lambda models: [models[0] | {"position": 4}, models[1]]}),
    (rules.drifted, {"models": lambda models: [models[0], models[1] | {"totals": [["ada", 1, 3]]}]}),
])
def test_rules_and_their_near_misses(rule, change):
    assert list(rule(run_of())) == []
    assert len(list(rule(run_of(**change)))) == 1


def test_the_picture_counts_what_the_notebook_lets_one_predict(capsys):
    given = with_first_attempts("cqrs")
    assert picture.effects(given["naive"], given["naive_position"], given["naive_read"]) is not None
    assert "in 6 of" in capsys.readouterr().out
    picture.effects(given["project"], given["position"], given["read"])
    assert "in 0 of" in capsys.readouterr().out
