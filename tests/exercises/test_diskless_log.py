"""The checks of the log on an object store accept what is right and reject each classic mistake for its own reason."""
import copy

import pytest
from exercises.attack import Clock
from exercises.attack.turns import Turn
from exercises.diskless_log import (
    NoAnswer,
    NotFound,
    Plan,
    PreconditionFailed,
    check,
    perform,
    picture,
    produced,
    rules,
)
from exercises.diskless_log.store import LATE, LOSSES, Bucket, Store
from graded import Graded, pytest_generate_tests, reference, submission, with_first_attempts  # noqa: F401

FUNCTIONS = ("flush", "read", "collect")
REFERENCE = reference("diskless_log", FUNCTIONS)


class TestDisklessLog(Graded):
    exercise, functions, check = "diskless_log", FUNCTIONS, check
    struck = (("commit", "crash", {"get manifest", "put manifest if there is none", "get files/agent-1-1", "ack"}),)
    shrunk = (("deletes_what_is_not_committed", "storm"),)
    secrets = ("old[", "condition = {")


# The store.

class Client:
    """A process that is never attacked."""
    name, counted = "client", True

    def step(self, what: str) -> dict:
        return {}


def store_with(*losses) -> Store:
    return Store(Bucket(Clock(), losses), Client())


def test_a_condition_holds_for_exactly_one_content():
    store = store_with()
    etag = store.put("m", [1], if_none_match="*")
    assert store.get("m") == ([1], etag) and store.put("m", [2], if_match=etag) != etag
    for condition in ({"if_match": etag}, {"if_none_match": "*"}):
        with pytest.raises(PreconditionFailed):
            store.put("m", [3], **condition)
    assert store.get("m").body == [2] and store.put("m", [1]) == etag  # an ETag is a hash of the content
    with pytest.raises(NotFound):
        store.put("n", [], if_match=etag)


@pytest.mark.parametrize("loss, after, later", [
    ("request lost", [0], [0]), ("answer lost", [1], [1]), ("late", [0], [1])])
def test_no_answer_says_nothing_about_what_happened(loss, after, later):
    store = store_with((2, loss))
    store.put("m", [0])
    with pytest.raises(NoAnswer):
        store.put("m", [1])
    assert store.get("m").body == after
    for _ in range(LATE):
        store.list()
    assert store.get("m").body == later


def test_a_late_put_is_held_to_its_condition():
    store = store_with((1, "late"))
    with pytest.raises(NoAnswer):
        store.put("m", ["late"], if_none_match="*")
    store.put("m", ["soon"], if_none_match="*")
    store._bucket.arrive()
    assert store.get("m").body == ["soon"]


@pytest.mark.parametrize("arguments", [{"key": ""}, {"key": 7}, {"if_none_match": "x"}, {"if_match": ""}])
def test_what_no_store_takes_is_refused(arguments):
    with pytest.raises((TypeError, ValueError)):
        store_with().put(**{"key": "m", "body": 1, **arguments})


# Turns.

def test_of_two_calls_one_goes_on_at_a_time_and_in_the_order_that_is_asked_for():
    seen, turns = [], {}

    def work(name):
        for number in range(3):
            seen.append(f"{name}{number}")
            turns[name].stop()
    for name in "ab":
        turns[name] = Turn(lambda name=name: work(name))
    for name in "abbab":
        turns[name].go_on()
    assert seen == ["a0", "b0", "b1", "a1", "b2"] and not turns["a"].ended
    turns["b"].go_on()
    assert turns["b"].ended


def test_what_a_call_raises_is_raised_where_its_turn_came_from():
    with pytest.raises(ZeroDivisionError):
        Turn(lambda: 1 / 0).go_on()


# Runs.

def test_the_reference_survives_hundreds_of_random_schedules():
    result = check.verdict("storm", check.attack("storm", REFERENCE, range(100, 110)).runs)
    assert (result.outcome, result.runs) == ("correct", 400)


# Near misses: evidence just inside a rule, then just outside.

A, B, C = produced("shop-1", "orders", 0, 2), produced("shop-2", "orders", 0), produced("shop-1", "orders", 2)
PLAN = Plan(((1, (A, B)), (2, (A, C))), (("orders", 1),), collects=1)
ORDERS = [[0, "orders.shop-1.0"], [1, "orders.shop-1.1"], [2, "orders.shop-2.0"], [3, "orders.shop-1.2"]]


def run_of(**changes):
    """A calm run of the reference, with something changed."""
    run = copy.deepcopy(perform(PLAN, REFERENCE))
    for name, value in changes.items():
        setattr(run, name, value(getattr(run, name)) if callable(value) else value)
    return run


def test_a_calm_run_is_what_it_should_be():
    run = run_of()
    assert run.log == {"orders": ORDERS} and run.left == run.swollen == []
    assert [ack[:4] for ack in run.acks] == [["shop-1", "orders", 0, 0], ["shop-2", "orders", 0, 2],
                                             ["shop-1", "orders", 0, 0], ["shop-1", "orders", 2, 3]]
    assert [event["what"] for event in run.events if "step" in event][:3] == [
        "put files/agent-1-1", "get manifest", "put manifest if there is none"]


def test_the_same_run_twice_is_the_same_run():
    plan = Plan(PLAN.flushes, PLAN.reads, 2, switches=((3, "agent-2"), (5, "collector"), (6, "agent-1")), crashes=(9,),
                pauses=(7,), losses=((4, "late"),))
    assert perform(plan, REFERENCE) == perform(plan, REFERENCE)


def logged(*records):
    return {"orders": [list(each) for each in records]}


@pytest.mark.parametrize("rule, change", [
    (rules.mixed, {"log": logged(*ORDERS, (4, "clicks.shop-1.0"))}),
    (rules.duplicate, {"log": logged(*ORDERS, (4, "orders.shop-1.2"))}),
    (rules.reordered, {"log": logged((0, "orders.shop-1.2"), (1, "orders.shop-1.0"))}),
    (rules.lost, {"log": logged(*ORDERS[:3])}),
    (rules.holes, {"reads": lambda reads: [{**reads[0], "returned": [ORDERS[1], ORDERS[3]]}]}),
    (rules.holes, {"reads": lambda reads: [{**reads[0], "returned": ORDERS[2:]}]}),
    (rules.changed, {"reads": lambda reads: [{**reads[0], "returned": [ORDERS[1], [2, "orders.shop-1.2"]]}]}),
    (rules.stale, {"reads": lambda reads: [{**reads[0], "returned": ORDERS[1:3]}]}),
    (rules.misinformed, {"acks": lambda acks: [[*acks[0][:3], 1, 9]]}),
    (rules.unacked, {"acks": lambda acks: acks[:3]}),
    (rules.left, {"left": ["files/x"]}),
    (rules.swollen, {"swollen": ["manifest"]}),
    (rules.error, {"reads": lambda reads: [{**reads[0], "returned": [["0", "x"]]}]}),
])
def test_rules_and_their_near_misses(rule, change):
    assert list(rule(run_of())) == []
    assert len(list(rule(run_of(**change)))) == 1


def test_what_is_not_acknowledged_yet_need_not_be_seen():
    shorter = {"reads": lambda reads: [{**reads[0], "begun": 0, "returned": []}]}
    assert list(rules.stale(run_of(**shorter))) == list(rules.changed(run_of(**shorter))) == []


@pytest.mark.parametrize("loss", LOSSES)
def test_no_answer_may_go_up_and_the_producers_come_again(loss):
    run = perform(Plan(PLAN.flushes, losses=((1, loss),)), REFERENCE)
    assert [call["error"] for call in rules.calls(run) if call["outcome"] == "fail"] == ["NoAnswer"]
    assert rules.finding(run) is None


def test_a_failing_run_tells_who_did_it_and_shows_answers_on_their_way():
    wrong = submission("diskless_log", "mutants", "takes_copies_for_new")
    verdict = check.commit(wrong["flush"], wrong["read"])
    assert "was killed after put manifest" in verdict.finding.how
    assert any("put files/" in line and "->" in line for line in verdict.finding.story)
    film = verdict.play()
    times = film.trace.events.rows["time"]
    assert "the store answers agent-" in film.story() and (times[1:] >= times[:-1]).all()


def test_the_picture_counts_what_the_notebook_lets_one_predict(capsys):
    given = with_first_attempts("diskless_log")
    assert picture.races(given["naive"], given["naive_read"]) is not None
    assert "naive: 16 races, 5 lost" in capsys.readouterr().out
    picture.races(given["flush"], given["read"])
    assert "flush: 16 races, all fine" in capsys.readouterr().out
