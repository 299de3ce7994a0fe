"""The checks of the consumer groups accept what is right and reject each classic mistake for its own reason."""
import copy

import pytest
from exercises.consumer_groups import Failed, Plan, check, groups, perform, picture, rules
from exercises.consumer_groups.check import made_up_in
from graded import Graded, files, pytest_generate_tests, reference, submission  # noqa: F401

FUNCTIONS = ("size", "settings", "consume")
REFERENCE = reference("consumer_groups", FUNCTIONS)


class TestConsumerGroups(Graded):
    exercise, functions, check = "consumer_groups", FUNCTIONS, check
    struck = (("crashes", "crash", {"INSERT", "COMMIT", "apply", "dead", "commit"}),)
    shrunk = (("counts_in_memory", "storm"),)
    # Too few members are too few, whether the backlog was forgotten or that a partition has one owner.
    same_reason = {("members", "late", "of a partition's backlog is left")}
    secrets = ("leaving_costs",)

    def test_the_judge_simulates_the_answer_itself(self):
        recorded = self.recorded("members")
        recorded["runs"][0]["answer"] = [1, 1]
        assert check.judge("members", recorded, (11,)).finding.rule == "late"

    def test_there_are_enough_mutants_for_each_program(self):
        mutants = [submission("consumer_groups", "mutants", mutant) for mutant in files("consumer_groups", "mutants")]
        for program in FUNCTIONS:
            assert sum(each[program].__code__ != REFERENCE[program].__code__ for each in mutants) >= 6


# The questions: each has one clear answer, and the simulation agrees with the arithmetic.

@pytest.mark.parametrize("seed", [31, 32])
def test_the_simulated_group_is_in_time_exactly_if_the_arithmetic_says_so(seed):
    for plan, _ in check.EXERCISE.plans("members", (seed,)):
        right = REFERENCE["size"](plan.load)[0]
        assert made_up_in(plan.load, right) < plan.load.within < made_up_in(plan.load, right - 1)
        assert groups.left_over(plan.load, right, seed) < 0.1 and groups.left_over(plan.load, right - 1, seed) > 0.1


def test_waiting_and_replacing_both_win_somewhere():
    kinds = {REFERENCE["settings"](plan.deployment)["group_instance_id"]
             for plan, _ in check.EXERCISE.plans("rolling", (31,))}
    assert kinds == {True, False}


# The world, and near misses: evidence just inside a rule, then just outside.

LOG = (((3, "a1"), (5, "a2")), ((0, "b1"),))


def test_what_the_service_kills_is_delivered_again_and_at_last_given_up():
    run = perform(Plan(log=LOG, killers=("a1",)), REFERENCE)
    assert run.tried["a1"] == 3 and run.letters == ["a1"] and run.applied == ["b1", "a2"] and run.next == [6, 1]


@pytest.mark.parametrize("loss, letters", [("letter lost", 1), ("confirmation lost", 2)])
def test_no_confirmation_says_nothing_about_the_letter(loss, letters):
    run = perform(Plan(log=LOG, poison=("a1",), losses=((1, loss),)), REFERENCE)
    assert run.letters == ["a1"] * letters and list(rules.copied(run)) == []


def test_a_failure_lets_the_consumer_start_again_at_its_commit():
    def consume(db, batch, downstream, letters):
        for record in batch:
            downstream.apply(record)
            record.commit()
    run = perform(Plan(log=LOG, hiccups=(("a2", 1),)), {"consume": consume})
    assert run.applied.count("a1") == 1 and run.tried["a2"] == 2
    assert Failed.__name__ in {call.get("error") for call in rules.calls(run)}


def run_of(**changes):
    """The reference's run with one poisoned record, with something changed."""
    run = copy.deepcopy(perform(Plan(log=LOG, poison=("a1",)), REFERENCE))
    for name, value in changes.items():
        setattr(run, name, value)
    return run


@pytest.mark.parametrize("rule, holds, broken", [
    (rules.skipped, {"letters": [], "next": [3, 1]}, {"letters": []}),
    (rules.hasty, {"tried": {"a1": 3}}, {"tried": {"a1": 2}}),
    (rules.stubborn, {"tried": {"a1": 3}}, {"tried": {"a1": 4}}),
    (rules.blocked, {}, {"letters": [], "next": [3, 1]}),
    (rules.copied, {}, {"letters": ["a1", "a1"]}),
    (rules.behind, {}, {"next": [5, 1]}),
])
def test_rules_and_their_near_misses(rule, holds, broken):
    assert list(rule(run_of(**holds))) == []
    assert len(list(rule(run_of(**broken)))) == 1


# The notebook.

def test_the_pictures_say_what_the_notebook_says(capsys):
    def naive(db, batch, downstream, letters):
        for record in batch:
            try:
                downstream.apply(record)
            except Failed:
                pass
            record.commit()
    runs = [perform(picture.PLAN, {"consume": naive})]
    assert [picture.fate(runs[0], id) for _, id in picture.RECORDS] == ["done", "lost", "lost", "done"]
    assert picture.fates(naive) is not None and picture.fates(REFERENCE["consume"]) is not None
    assert picture.lag(5) is not None
    printed = capsys.readouterr().out
    assert "naive: in 9 of 9 runs" in printed and "consume: in 0 of" in printed and "5 members: " in printed
    needed = REFERENCE["size"](picture.LOAD)[0]
    assert needed == 6 and groups.left_over(picture.LOAD, 5, 1) > 0.1
