"""Which cursors lose, invert or hold: every schedule counted, and the same schedules on a real PostgreSQL."""
import random

import pytest

from labs import visibility
from labs.cursors import QUERIES, Stage
from labs.visibility import CURSORS, LOOK, census, possible, run, schedules

POSITION, BELOW_XMIN, BY_XID, GAP, FLAG = CURSORS
VARIANTS = [("SXC", "SXC"), ("XSC", "XSC"), ("SXC", "SXR"), ("XLSC", "LSXC")]


def test_two_writers_and_two_looks_make_560_schedules():
    every = [tuple(schedule) for schedule in schedules()]
    assert len(every) == len(set(every)) == 560
    assert all(schedule[-2:] == (LOOK, LOOK) and schedule.count(LOOK) == 4 for schedule in every)
    assert len(list(schedules("XLSC", "LSXC"))) == 270, "those in which nobody takes a lock that is held"


@pytest.mark.parametrize("a, b, judge, counts", [
    ("SXC", "SXC", "loses", {POSITION: 68, BELOW_XMIN: 40, BY_XID: 0, GAP: 0, FLAG: 0}),
    ("XSC", "XSC", "loses", {POSITION: 42, BELOW_XMIN: 14, BY_XID: 0, GAP: 0, FLAG: 0}),
    ("SXC", "SXR", "loses", {POSITION: 0, BELOW_XMIN: 0, BY_XID: 0, GAP: 280, FLAG: 0}),
    ("XLSC", "LSXC", "loses", {POSITION: 0, BELOW_XMIN: 0, BY_XID: 0, GAP: 0, FLAG: 0}),
    ("XLSC", "LSXC", "inverts", {POSITION: 0, BELOW_XMIN: 0, BY_XID: 135, GAP: 0, FLAG: 0}),
])
def test_the_census(a, b, judge, counts):
    assert census(a, b, judge) == counts


def test_a_lock_is_waited_for():
    assert possible([("A", "L"), ("A", "R"), ("B", "L")])
    assert not possible([("A", "L"), ("B", "L"), ("A", "R")])


def test_the_smallest_loss_is_told():
    schedule = [("A", "S"), ("A", "X"), ("B", "S"), ("B", "X"), ("B", "C"), LOOK, ("A", "C"), LOOK, LOOK, LOOK]
    assert run(schedule, POSITION).loses and not run(schedule, BELOW_XMIN).loses
    assert visibility.story(schedule, POSITION).splitlines()[4:] == [
        "B commits", "relay looks: positions visible 2, xmin 1; publishes 2", "A commits",
        *["relay looks: positions visible 1, 2, xmin 3; publishes nothing"] * 3]


@pytest.fixture(scope="module")
def stage(database):
    with Stage(database) as stage:
        yield stage


@pytest.mark.real
@pytest.mark.parametrize("a, b", VARIANTS)
def test_the_model_and_postgresql_agree(stage, a, b):
    """A sample of every variant; the lab performs all of one."""
    chosen = random.Random(7).sample(list(schedules(a, b)), 40)
    for schedule in chosen:
        live = stage.perform(schedule)
        assert live.keys() == QUERIES.keys() == CURSORS.keys()
        for cursor, outcome in live.items():
            model = run(schedule, cursor)
            told = [[row.writer for row in rows] for rows in (*outcome, *model)]
            assert told[:2] == told[2:], (schedule, cursor)


@pytest.mark.real
def test_logical_decoding_delivers_in_the_order_of_commits(stage):
    for schedule in random.Random(7).sample(list(schedules("XLSC", "LSXC")), 10):
        stage.perform(schedule)
    last = [versions for schedule, versions in sorted(stage.decoded().items())][-10:]
    assert last == [[1, 2]] * 10
