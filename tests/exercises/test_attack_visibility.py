"""Which cursors lose, invert or hold: every schedule of two writers, counted."""
import pytest

from exercises.attack import visibility
from exercises.attack.visibility import CURSORS, LOOK, census, possible, run, schedules

POSITION, BELOW_XMIN, BY_XID, GAP, FLAG = CURSORS


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
