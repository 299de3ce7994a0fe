"""The checks of the choreographed saga accept what is right and reject each classic mistake for its own reason."""
import copy

import pytest
from exercises.saga_choreography import Order, Plan, check, emit, perform, picture, rules
from exercises.saga_choreography.services import Carrier, event_of
from graded import Graded, pytest_generate_tests, reference, with_first_attempts  # noqa: F401

FUNCTIONS = ("stock", "payment", "orders", "overdue")
REFERENCE = reference("saga_choreography", FUNCTIONS)
STEPS = {"COMMIT", "INSERT outbox", "UPDATE stock", "ack o1 OrderPlaced"}


class TestSagaChoreography(Graded):
    exercise, functions, check = "saga_choreography", FUNCTIONS, check
    struck = (("crash", "crash", STEPS), ("rivals", "pause", STEPS))
    shrunk = (("no_tombstone", "storm"),)
    secrets = ("refunded",)


# The world: what the bus and the carrier do.

ORDER = Order("o1", "ada", "tea", 40, 0)


def deaf(db, event):
    """A service that hears and says nothing."""


@pytest.mark.parametrize("kind, seconds, times", [("lost", 0, []), ("late", 4, [5]), ("again", 3, [1, 4])])
def test_what_the_faults_do(kind, seconds, times):
    run = perform(Plan((ORDER,), faults=(("o1 OrderPlaced", "stock", kind, seconds),)),
                  {"stock": deaf, "payment": deaf, "orders": deaf})
    second, heard = "", []
    for event in run.events:
        second = event["what"] if event["who"] == "the clock" else second
        heard += [second] if event["what"] == "call" else []
    assert heard == [f"second {number}" for number in times]


def test_an_event_comes_again_until_it_is_handled():
    def stock(db, event):
        db.execute("INSERT INTO inbox VALUES ((SELECT COUNT(*) FROM inbox))")
        db.commit()
        if db.execute("SELECT COUNT(*) FROM inbox").fetchone()[0] < 3:
            raise ValueError("not yet")
    run = perform(Plan((ORDER,)), {"stock": stock, "payment": deaf, "orders": deaf})
    assert [e["outcome"] for e in run.events if e["what"] == "call"] == ["fail", "fail", "ok"]


@pytest.mark.parametrize("first, second, answer", [
    ("PaymentTaken", "OrderCancelled", "Shipped"), ("OrderCancelled", "OrderCancelled", "ShippingRejected"),
    ("OrderCancelled", "PaymentTaken", None), ("PaymentTaken", "PaymentTaken", None)])
def test_the_carrier_never_changes_its_mind_and_answers_whoever_cancels(first, second, answer):
    carrier = Carrier(())
    said = carrier.handle(event_of(ORDER, first))
    again = carrier.handle(event_of(ORDER, second))
    assert (again and again.type) == answer and (again is None or again.type == said.type)


def test_an_event_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="no event is called 'StockReleased'"):
        emit(None, ORDER, "StockReleased")


def test_the_same_run_twice_is_the_same_run():
    plan = Plan((ORDER, Order("o2", "bob", "jam", 10, 1)), crashes=(5,), pauses=(9,),
                faults=(("o1 StockReserved", "payment", "late", 16),))
    assert perform(plan, REFERENCE) == perform(plan, REFERENCE)


# Near misses: evidence just inside a rule, then just outside.

def run_of(*rejects, **changes):
    """A calm run of the reference with one order, with something changed."""
    run = copy.deepcopy(perform(Plan((ORDER,), pieces=5, purse=100, rejects=rejects), REFERENCE))
    for name, value in changes.items():
        setattr(run, name, value)
    return run


NO = ("o1", "shipping")


@pytest.mark.parametrize("rule, rejects, change", [
    (rules.impossible, (), {"range": {"tea": [-1, 5], "ada": [0, 100]}}),
    (rules.impossible, (), {"range": {"tea": [4, 6], "ada": [0, 100]}}),
    (rules.twice, (), {"after": {"stock": {"tea": 3}, "payment": {"ada": 60}}}),
    (rules.leaked, (NO,), {"after": {"stock": {"tea": 5}, "payment": {"ada": 60}}}),
    (rules.unpaid, (), {"after": {"stock": {"tea": 4}, "payment": {"ada": 100}}}),
    (rules.torn, (), {"shipped": []}),
    (rules.torn, (NO,), {"shipped": ["o1"]}),
    (rules.repeats, (), {"published": [[1, "stock", "StockReserved", "o1"]] * 2}),
    (rules.hasty, (), {"published": [[15, "orders", "OrderCancelled", "o1"]], "ended": {}}),
    (rules.hasty, (), {"published": [[16, "orders", "OrderCancelled", "o1"]], "ended": {"o1": 15}}),
    (rules.stranded, (), {"published": [[16, "orders", "OrderCancelled", "o1"]]}),
    (rules.unfinished, (), {"orders": {"o1": "pending"}}),
    (rules.unfinished, (), {"orders": {}}),
    (rules.needless, (), {"orders": {"o1": "failed"}}),
])
def test_rules_and_their_near_misses(rule, rejects, change):
    assert list(rule(run_of(*rejects))) == []
    assert len(list(rule(run_of(*rejects, **change)))) == 1


def test_a_cancellation_one_second_after_the_deadline_is_neither_hasty_nor_late():
    lost = (("o1 PaymentTaken", "shipping", "lost", 0),)
    run = perform(Plan((ORDER,), faults=lost), REFERENCE)
    assert [16, "orders", "OrderCancelled", "o1"] in run.published and rules.finding(run) is None


# The notebook.

def test_the_picture_counts_what_the_notebook_lets_one_predict(capsys):
    given = with_first_attempts("saga_choreography")
    assert picture.effects(given["naive_stock"], given["naive_payment"], given["naive_orders"]) is not None
    assert "in 8 of 20 runs" in capsys.readouterr().out
    picture.effects(given["stock"], given["payment"], given["orders"])
    assert "in 0 of" in capsys.readouterr().out
