"""Retention may delete records that were old enough, from the log's beginning; any other that is missing is lost."""
import pytest

from simulator.evidence.checks import Guarantees, check
from simulator.evidence.history import FINAL_READER, History

KEEP_10 = Guarantees(retention=10)


def history(*left: int, read: tuple = (), now: float = 20.0) -> History:
    """Records 0 to 5 of one key, sent at 0, 2, 4, ... and acknowledged half a second later.

    A consumer read some, the final reader what is left.
    """
    made = History()
    for value in range(6):
        made.send("producer", "k", value, value, time=2.0 * value + 0.5, invoked=2.0 * value)
    for time, values in read:
        made.poll("consumer", {"k": [(value, value) for value in values]}, time=time)
    made.assign(FINAL_READER, ["k"], time=now)
    made.poll(FINAL_READER, {"k": [(value, value) for value in left]}, time=now)
    made.drained = True
    return made


def counts(made: History, guarantees: Guarantees = KEEP_10) -> dict[str, int]:
    return {kind: verdict.records for kind, verdict in check(made, guarantees).verdicts.items() if verdict.cases}


def test_what_is_old_and_at_the_beginning_has_expired():
    report = check(history(3, 4, 5), KEEP_10)
    assert report.ok and report.verdicts["expired"].word == "permitted" and report.verdicts["expired"].records == 3
    assert "3 acknowledged records were deleted by retention (permitted): values 0–2 of k" in str(report)


def test_it_has_expired_also_if_somebody_read_it_before():
    assert counts(history(3, 4, 5, read=[(1.0, [0]), (7.0, [1, 2, 3])])) == {"expired": 3}


def test_near_miss_without_a_retention_it_is_lost():
    assert counts(history(3, 4, 5), Guarantees()) == {"lost write": 3}


def test_near_miss_a_record_that_is_young_is_lost():
    """At 13.9 s records 0 and 1 are more than 10 s old and record 2, sent at 4 s, is not."""
    assert counts(history(3, 4, 5, now=13.9)) == {"expired": 2, "lost write": 1}
    assert counts(history(3, 4, 5, now=14.0)) == {"expired": 3}


def test_near_miss_an_old_record_behind_a_hole_is_lost():
    """Retention deletes from the beginning; record 2 is gone and record 1, older than it, is there."""
    assert counts(history(1, 3, 4, 5)) == {"expired": 1, "lost write": 1}


def test_near_miss_what_was_read_and_is_young_has_vanished():
    assert counts(history(4, 5, read=[(9.0, [0, 1, 2, 3])], now=15.0)) == {"expired": 3, "vanished": 1}


def test_everything_may_expire():
    assert counts(history(now=40.0, read=[(1.0, [0])])) == {"expired": 6}


def test_a_reader_may_jump_over_what_has_expired():
    assert counts(history(3, 4, 5, read=[(1.0, [0]), (19.0, [3, 4, 5])])) == {"expired": 3}


def test_near_miss_a_reader_may_not_jump_over_what_is_still_kept():
    """At 13 s record 2, sent at 4 s, was not old enough to be deleted."""
    assert counts(history(3, 4, 5, read=[(1.0, [0]), (13.0, [3])])) == {"expired": 3, "external poll skip": 2}


def test_without_a_retention_nothing_is_said_about_it():
    assert "expired" not in check(history(0, 1, 2, 3, 4, 5), Guarantees()).verdicts


@pytest.mark.parametrize("retention", [0, -1, float("nan")])
def test_nonsense_is_refused(retention):
    with pytest.raises(ValueError, match="^retention: "):
        Guarantees(retention=retention)
