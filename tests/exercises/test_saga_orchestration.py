"""The checks of the saga accept what is right and reject each classic mistake for its own reason."""
import copy

import pytest
from exercises.saga_orchestration import Order, Plan, check, perform, picture, rules
from graded import Graded, pytest_generate_tests, reference, with_first_attempts  # noqa: F401

FUNCTIONS = ("start", "resume")
REFERENCE = reference("saga_orchestration", FUNCTIONS)


class TestSagaOrchestration(Graded):
    exercise, functions, check = "saga_orchestration", FUNCTIONS, check
    struck = (("crash", "crash", {"INSERT orders", "UPDATE sagas", "DELETE sagas", "COMMIT", "reserve o1", "charge o1",
                                  "answer of charge o1", "ship o1", "mail o1"}),)
    shrunk = (("random_key", "storm"),)
    secrets = ("PATIENCE",)


# The world: what the services do.

ORDER = Order("o1", "ada", 40)


def test_a_key_undone_before_it_was_used_is_refused_for_ever():
    def start(db, services, order):
        services.refund("k", order.id)
        services.charge("k", order.id)
    run = perform(Plan((ORDER,)), {"start": start, "resume": lambda db, services: None})
    assert run.effects == [] and run.events[0]["error"] == "Rejected"


@pytest.mark.parametrize("kind, effects", [("request lost", []), ("answer lost", [["charge", "o1"]]),
                                           ("late", [["charge", "o1"]]), ("busy", [])])
def test_what_the_faults_do(kind, effects):
    def start(db, services, order):
        services.charge("k", order.id)
    run = perform(Plan((ORDER,), faults=(("charge", 1, kind),)), {"start": start, "resume": lambda db, services: None})
    assert run.effects == effects and run.events[0]["error"] == ("Busy" if kind == "busy" else "NoAnswer")


def test_the_same_run_twice_is_the_same_run():
    plan = Plan((ORDER, Order("o2", "bob", 10)), crashes=(5,), pauses=(9,), faults=(("ship", 1, "late"),))
    assert perform(plan, REFERENCE) == perform(plan, REFERENCE)


# Near misses: evidence just inside a rule, then just outside.

def run_of(*rejects, **changes):
    """A calm run of the reference with one order, with something changed."""
    run = copy.deepcopy(perform(Plan((ORDER,), rejects=rejects), REFERENCE))
    for name, value in changes.items():
        setattr(run, name, value)
    return run


NO = ("o1", "ship")
ALL = [["reserve", "o1"], ["charge", "o1"], ["ship", "o1"], ["mail", "o1"]]
BACK = [["reserve", "o1"], ["charge", "o1"], ["refund", "o1"], ["release", "o1"]]


@pytest.mark.parametrize("rule, rejects, change", [
    (rules.twice, (), {"effects": [*ALL, ALL[1]]}),
    (rules.torn, (), {"effects": ALL[:3]}),
    (rules.taken_back, (), {"effects": [*ALL, BACK[2]]}),
    (rules.leaked, (NO,), {"effects": BACK[:3]}),
    (rules.out_of_order, (NO,), {"effects": [*BACK[:2], BACK[3], BACK[2]]}),
    (rules.overspent, (), {"held": {"ada": 40}}),
    (rules.overspent, (), {"most_held": {"ada": 1001}}),
    (rules.unfinished, (), {"orders": {"o1": "pending"}}),
    (rules.unfinished, (), {"orders": {}}),
    (rules.needless, (), {"orders": {"o1": "failed"}}),
])
def test_rules_and_their_near_misses(rule, rejects, change):
    assert list(rule(run_of(*rejects))) == []
    assert len(list(rule(run_of(*rejects, **change)))) == 1


def test_the_picture_counts_what_the_notebook_lets_one_predict(capsys):
    given = with_first_attempts("saga_orchestration")
    assert picture.effects(given["naive"], given["nothing"]) is not None
    assert "in 5 of 15 runs" in capsys.readouterr().out
    picture.effects(given["start"], given["resume"])
    assert "in 0 of" in capsys.readouterr().out
