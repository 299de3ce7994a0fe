"""The checks of the idempotent consumer accept what is right and reject each classic mistake for its own reason."""
import contextlib
import copy

import pytest
from exercises.idempotent_consumer import Event, NoAnswer, Plan, check, perform, picture, rules
from graded import Graded, pytest_generate_tests, reference, submission, verdict  # noqa: F401

FUNCTIONS = ("handle", "forget", "start", "apply", "pay")
REFERENCE = reference("idempotent_consumer", FUNCTIONS)
STEPS = {"INSERT", "UPDATE", "COMMIT", "commit"}


class TestIdempotentConsumer(Graded):
    exercise, functions, check = "idempotent_consumer", FUNCTIONS, check
    struck = (("once", "crash", STEPS), ("handover", "pause", STEPS))
    shrunk = (("seen_apart_after", "storm"),)
    # To recognise nothing and to recognise offsets looks the same for a copy; redelivery tells the two apart.
    same_reason = {("copies", "twice", "No fault was needed")}
    secrets = ("fee-{event.id}",)


def test_redelivery_tells_offsets_from_nothing():
    found = {mutant: verdict(check, "once", submission("idempotent_consumer", "mutants", mutant)).outcome
             for mutant in ("no_dedup", "by_offset")}
    assert found == {"no_dedup": "wrong", "by_offset": "correct"}


# The world: what the broker and the gateway do.

ONE, TWO = (3, Event("ada-1", "ada", 1, 1)), (5, Event("ada-2", "ada", 2, 10))
LOG = ((ONE, TWO), ())


def events_of(run, what: str) -> list[dict]:
    return [event for event in run.events if event["what"].startswith(what)]


def test_both_consumers_handle_a_record_when_one_is_paused_and_the_late_commit_is_refused():
    run = perform(Plan(LOG, pauses=(1,)), REFERENCE)
    handled = [event["who"] for event in events_of(run, "call") if event["about"] == "ada-1 at 3"]
    assert handled == ["consumer-1", "consumer-2"]
    refused = [event for event in events_of(run, "commit offset 4") if "error" in event]
    assert [event["who"] for event in refused] == ["consumer-1"]
    assert run.balances == {"ada": 11} and run.next == [6, 0]


def test_a_crash_hands_the_partition_to_the_other_consumer_from_the_committed_offset():
    run = perform(Plan(LOG, crashes=(6,)), REFERENCE)
    assert [(event["who"], event["about"]) for event in events_of(run, "call")] == [
        ("consumer-1", "ada-1 at 3"), ("consumer-1", "ada-2 at 5"), ("consumer-2", "ada-2 at 5")]


@pytest.mark.parametrize("loss, charges", [("request lost", []), ("answer lost", [["ada-1", "ada", 1]])])
def test_no_answer_says_nothing_about_the_charge(loss, charges):
    def pay(db, gateway, record):
        with contextlib.suppress(NoAnswer):
            gateway.charge("key", "ada", 1)
        record.commit()
    run = perform(Plan(((ONE,), ()), "pay", losses=((1, loss),)), {"pay": pay})
    assert run.charges == charges and len(events_of(run, "answer ada-1")) == 1


def test_the_same_run_twice_is_the_same_run():
    plan = Plan(LOG, crashes=(5,), pauses=(2,), locked=(1,), rewind=1)
    assert perform(plan, REFERENCE) == perform(plan, REFERENCE)


# Near misses: evidence just inside a rule, then just outside.

def run_of(program: str = "handle", **changes):
    """A calm run of the reference with two events of one account, with something changed."""
    run = copy.deepcopy(perform(Plan(LOG, program), REFERENCE))
    for name, value in changes.items():
        setattr(run, name, value)
    return run


@pytest.mark.parametrize("program, rule, holds, broken", [
    ("handle", rules.twice, {"balances": {"ada": 1}}, {"balances": {"ada": 21}}),
    ("handle", rules.missing, {"balances": {"ada": 1}, "next": [5, 0]}, {"balances": {"ada": 1}}),
    ("handle", rules.behind, {}, {"next": [5, 0]}),
    ("pay", rules.twice, {}, {"charges": [["ada-1", "ada", 1]] * 2}),
    ("pay", rules.missing, {}, {"charges": [["ada-2", "ada", 10]]}),
    ("pay", rules.garbled, {}, {"charges": [["ada-1", "ada", 2]]}),
    ("handle", rules.hoards, {"kept": 99}, {"kept": 17, "plan": {"horizon": 4, "log": [[], []]}}),
])
def test_rules_and_their_near_misses(program, rule, holds, broken):
    assert list(rule(run_of(program, **holds))) == []
    assert len(list(rule(run_of(program, **broken)))) == 1


def test_exceptions_are_excused_by_the_fault_that_causes_them_and_by_no_other():
    locked = {"what": "call", "call": "handle", "about": "", "outcome": "fail", "error": "OperationalError",
              "message": "database is locked"}
    fault = {"what": "locked", "fault": True}
    assert list(rules.error(run_of(events=[fault, locked]))) == []
    assert len(list(rules.error(run_of(events=[locked])))) == 1
    assert len(list(rules.error(run_of(events=[fault, {**locked, "message": "no such table"}])))) == 1


# The notebook.

def test_the_picture_counts_what_the_notebook_says(capsys):
    def naive(db, record):
        with db:
            db.execute("UPDATE accounts SET balance = balance + ? WHERE account = ?",
                       (record.event.amount, record.event.account))
        record.commit()
    assert picture.effects(naive) is not None
    printed = capsys.readouterr().out
    assert "3 of 10 runs" in printed and printed.count("commit offset") == 3
    picture.effects(REFERENCE["handle"])
    assert "0 of 13 runs" in capsys.readouterr().out
