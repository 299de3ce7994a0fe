"""The checks of the relays accept what is right and reject each classic mistake for its own reason."""
import copy
import random

import pytest
from exercises.grader.release import derived
from exercises.outbox_relay import Plan, Row, check, perform, picture, rules
from exercises.outbox_relay.wal import Change
from exercises.attack.visibility import CURSORS, Snapshot, census
from exercises.attack.visibility import Row as Seen
from graded import Graded, answers, pytest_generate_tests, reference, source, submission, verdict  # noqa: F401

FUNCTIONS = ("poll", "relay", "cleanup", "follow")
REFERENCE = reference("outbox_relay", FUNCTIONS)
STEPS = {"claim", "publish", "mark", "release"}


class TestOutboxRelay(Graded):
    exercise, functions, check = "outbox_relay", FUNCTIONS, check
    struck = (("relay", "crash", STEPS), ("rivals", "pause", STEPS))
    shrunk = (("last_position_below_xmin", "gap"), ("waits_for_xmin", "order"), ("takes_fenced_for_done", "rivals"))
    # To know nothing of gaps and to wait at one for a while: the second needs a transaction that is a little slower.
    same_reason = {("gap", "lost", "to a higher position with a higher xid")}
    secrets = ("above = [row.position",)


@pytest.mark.parametrize("name", check.CHECKS)
def test_to_do_nothing_is_wrong(name):
    idle = {"poll": lambda look, cursor: ([], cursor)} | {each: lambda *_: None for each in FUNCTIONS[1:]}
    assert verdict(check, name, idle, (5,)).finding.rule == ("hoards" if name == "cleanup" else "stalled")


# The table of cursors.

def cursor_of(name: str):
    """A cursor of the lab as a learner would write it."""
    def poll(look, stored):
        memory = {key: tuple(value) if key == "last" else value for key, value in (stored or {}).items()}
        memory["published"] = {Seen(*row) for row in memory.get("published", ())}
        seen = [Seen(row.position, row.xid, row.aggregate, row.version) for row in look.rows]
        new = CURSORS[name](Snapshot(tuple(seen), look.xmin), memory)
        memory["published"] = sorted(memory["published"])
        return [row for row in look.rows if row.position in {each.position for each in new}], memory
    return poll


@pytest.mark.parametrize("a, b, judge_of", [("SXC", "SXC", "loses"), ("XSC", "XSC", "loses"), ("SXC", "SXR", "loses")])
def test_every_cursor_loses_in_exactly_the_schedules_that_the_lab_counts(a, b, judge_of):
    counted = census(a, b, judge_of)
    for name in CURSORS:
        plans = list(check.every([(a, b)], check.APART, random.Random(1)))
        assert len(plans) == 560
        runs = (perform(plan, {"poll": cursor_of(name)}) for plan in plans)
        broken = [rules.finding(run, (rules.lost, rules.stalled)) for run in runs]
        assert sum(found is not None for found in broken) == counted[name], name


def test_pairs_of_xid_and_position_invert_in_half_of_the_schedules_with_a_lock(capsys):
    picture.every_order(submission("outbox_relay", "mutants", "xid_then_position")["poll"], "XLSC", "LSXC")
    assert "270 schedules, 135 out of order" in capsys.readouterr().out


# Near misses: evidence just inside a rule, then just outside.

ROWS = tuple(Row(position, 700 + position, "ada", position) for position in (1, 2, 3))
LOG = tuple((Change("insert", 10 * row.position, row), Change("commit", 10 * row.position + 5)) for row in ROWS)


def run_of(program: str, **changes):
    """A calm run of the reference, with something changed."""
    plan = Plan("follow", log=LOG) if program == "follow" else Plan(program, rows=ROWS)
    run = copy.deepcopy(perform(plan, REFERENCE))
    for name, value in changes.items():
        setattr(run, name, value(getattr(run, name)))
    return run


@pytest.mark.parametrize("rule, program, changes", [
    (rules.lost, "relay", {"published": lambda log: log[:-1]}),
    (rules.lost, "follow", {"published": lambda log: log[:-1]}),
    (rules.stalled, "relay", {"published": lambda log: log[:-1], "done": lambda done: done[:-1]}),
    (rules.inverted, "relay", {"published": lambda log: [log[1], log[0], log[2]]}),
    (rules.unrecognised, "relay", {"published": lambda log: [*log, ["another name", log[0][1]]]}),
    (rules.unrecognised, "follow", {"published": lambda log: [*log[:-1], [log[0][0], log[-1][1]]]}),
    (rules.repeated, "relay", {"events": lambda events: [*events, events[-2] | {"publishes": "ada-1"}]}),
    (rules.hoards, "relay", {"kept": lambda kept: kept + 1}),
    (rules.hoards, "follow", {"kept": lambda kept: kept + 1}),
])
def test_rules_and_their_near_misses(rule, program, changes):
    assert list(rule(run_of(program))) == []
    assert len(list(rule(run_of(program, **changes)))) == 1


@pytest.mark.parametrize("age, broken", [(59.9, 1), (60, 0)])
def test_a_row_is_kept_for_exactly_as_long_as_was_asked(age, broken):
    deleted = {"who": "cleanup", "what": "delete", "deleted": [["ada-1", 100, 100 - age]]}
    run = run_of("cleanup", events=lambda _: [deleted])
    assert len(list(rules.hasty(run))) == broken and not list(rules.lost(run))


@pytest.mark.parametrize("fault, copies, broken", [
    ({"what": "crash"}, 2, 0), ({"what": "pause", "seconds": 60}, 2, 0), ({"what": "pause", "seconds": 5}, 2, 1),
    ({"what": "crash"}, 3, 1), ({"what": "crash", "who": "relay-2"}, 2, 1)])
def test_a_copy_is_excused_once_by_a_fault_of_its_publisher(fault, copies, broken):
    publish = {"who": "relay-1", "what": "publish ada-1", "publishes": "ada-1"}
    events = [publish, {"who": "relay-1", "fault": True} | fault, *[publish] * (copies - 1)]
    run = run_of("relay", events=lambda _: events, published=lambda log: [log[0]] * copies)
    assert len(list(rules.repeated(run))) == broken


def test_the_same_run_twice_is_the_same_run():
    plan = Plan("relay", rows=ROWS, crashes=(9,), pauses=(2,), seconds=60, losses=((2, "confirmation lost"),))
    assert perform(plan, REFERENCE) == perform(plan, REFERENCE)


# The notebook.

def test_the_pictures_count_what_the_text_asks_for(capsys):
    cells = [cell.source for cell in source("outbox_relay").cells]
    naive = next(source for source in cells if source.startswith("def naive"))
    below = next(source for source in cells if source.startswith("def below_xmin")).split("\n\n\n")[0]
    given = answers(derived(source("outbox_relay"), hidden=None), f"{naive}\n\n{below}")
    for poll, counts in (("naive", "560 schedules, 68 lost"), ("below_xmin", "560 schedules, 40 lost")):
        assert picture.every_order(given[poll]) is not None
        assert counts in capsys.readouterr().out
    picture.every_order(given["poll"], "XLSC", "LSXC")
    assert "270 schedules, all fine" in capsys.readouterr().out
