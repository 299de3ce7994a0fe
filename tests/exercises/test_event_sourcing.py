"""The checks of the event store accept what is right and reject each classic mistake for its own reason."""
import copy
import json

import pytest
from exercises.event_sourcing import Event, Plan, check, perform, picture, rules
from exercises.event_sourcing.history import SCHEMA, Stored, aged, as_amount, cents_of, current, state_after
from graded import Graded, pytest_generate_tests, reference, with_first_attempts  # noqa: F401

FUNCTIONS = ("append", "evolve", "upcast", "load", "snapshot", "withdraw")
REFERENCE = reference("event_sourcing", FUNCTIONS)


class TestEventSourcing(Graded):
    exercise, functions, check = "event_sourcing", FUNCTIONS, check
    struck = (("append", "crash", {"BEGIN", "INSERT events", "COMMIT"}),)
    shrunk = (("commits_each_event", "storm"),)
    # To take the version late and to decide on an old state are one mistake in two places.
    same_reason = {("withdraw", "overdrawn", "before BEGIN")}
    secrets = ("REPLACE INTO snapshots",)


# The truth the functions are compared with.

@pytest.mark.parametrize("cents", [0, 5, 29, 57, 115, 1999, 100_001])
def test_an_amount_and_its_cents_are_each_other(cents):
    assert cents_of(as_amount(cents)) == cents


def test_an_aged_event_means_what_it_meant():
    event = Stored("ada", 1, "x", "deposited", SCHEMA, {"cents": 29, "channel": "unknown"})
    assert aged(event, 1).data == {"amount": "0.29"} and aged(event, 2).data == {"cents": 29}
    assert {json.dumps(current("deposited", n, aged(event, n).data)) for n in (1, 2, 3)} == {json.dumps(event.data)}


# Near misses: evidence just inside a rule, then just outside.

ADA = (Stored("ada", 0, "o", "opened", SCHEMA, {"owner": "ada"}),
       Stored("ada", 1, "d", "deposited", SCHEMA, {"cents": 100, "channel": "app"}))
TAKE = ("withdraw", "w", "ada", 60)
PUT = ("append", "ada", 2, (Event("p", "renamed", {"owner": "bob"}), Event("q", "renamed", {"owner": "cyd"})))


def run_of(*orders, **changes):
    """A calm run of the reference with these orders, with something changed."""
    run = copy.deepcopy(perform(Plan(ADA, (orders, ())), REFERENCE))
    for name, value in changes.items():
        setattr(run, name, value(getattr(run, name)) if callable(value) else value)
    return run


@pytest.mark.parametrize("rule, orders, change", [
    (rules.torn, (PUT,), lambda store: store[:-1]),
    (rules.altered, (PUT,), lambda store: [["ada", 0, "o", "opened", 3, '{"owner": "eve"}'], *store[1:]]),
    (rules.altered, (PUT,), lambda store: store[1:]),
    (rules.doubled, (PUT,), lambda store: [*store, ["ada", 4, "q", "renamed", 3, "{}"]]),
    (rules.gaps, (PUT,), lambda store: [*store, ["ada", 5, "z", "renamed", 3, "{}"]]),
    (rules.misplaced, (PUT,), lambda store: store[:2] + [["ada", 2, "p", "renamed", 3, "{}"], store[3]]),
    (rules.overdrawn, (TAKE,), lambda store: store[:2] + [["ada", 2, "w", "withdrawn", 3, '{"cents": 101}']]),
    (rules.mistaken, (TAKE,), lambda store: store[:-1]),
])
def test_rules_of_the_store_and_their_near_misses(rule, orders, change):
    assert list(rule(run_of(*orders))) == []
    assert len(list(rule(run_of(*orders, store=change)))) == 1


@pytest.mark.parametrize("rule, order, change", [
    (rules.refused, PUT, {"outcome": "fail", "error": "Conflict"}),
    (rules.meaning, ("load", "ada"), {"returned": [2, {"owner": "ada", "balance": 99, "withdrawals": 0}]}),
    (rules.meaning, ("load", "ada"), {"returned": [1, state_after(ADA[:1])]}),
    (rules.meaning, ("upcast", "renamed", 1, {"owner": "x"}), {"returned": {"owner": "y"}}),
    (rules.mistaken, TAKE, {"returned": False}),
    (rules.mistaken, ("withdraw", "w", "ada", 101), {"returned": True}),
])
def test_rules_of_answers_and_their_near_misses(rule, order, change):
    assert list(rule(run_of(order))) == []
    assert len(list(rule(run_of(order, answers=lambda answers: [answers[0] | change])))) == 1


def test_a_conflict_is_just_if_the_expected_version_was_taken_or_far_ahead():
    taken = ("append", "ada", 1, PUT[3])
    ahead = ("append", "ada", 7, PUT[3])
    run = run_of(taken, ahead)
    assert [answer["error"] for answer in run.answers] == ["Conflict", "Conflict"] and not list(rules.refused(run))


def test_the_same_run_twice_is_the_same_run():
    plan = Plan(ADA, ((TAKE, ("snapshot", "ada")), (PUT,)), crashes=(5,), pauses=(2,), lost=(1,), stale=True)
    assert perform(plan, REFERENCE) == perform(plan, REFERENCE)


def test_the_picture_shows_the_overdraft_and_then_none(capsys):
    given = with_first_attempts("event_sourcing")
    assert picture.balances(given["naive"]) is not None
    assert "naive: in 1 of 3 runs the account is overdrawn" in capsys.readouterr().out
    picture.balances(given["withdraw"], **{each: given[each] for each in ("append", "evolve", "upcast", "load")})
    assert "withdraw: in 0 of" in capsys.readouterr().out
