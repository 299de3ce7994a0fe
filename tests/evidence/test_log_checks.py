"""Each anomaly of a log: its smallest history, and the near misses that must not count."""

import pytest

from simulator.evidence.checks import Guarantees, check
from simulator.evidence.history import FINAL_READER, History

def log(sent: int = 0, sender: str = "p") -> History:
    """A history in which values 0, 1, ... were sent and acknowledged at the offsets of the same number."""
    history = History()
    history.keys.code("k")
    for value in range(sent):
        history.send(sender, "k", value, value)
    return history


def read(history: History, process: str, *values: int, **options) -> History:
    """A poll that returned these values, each at the offset of the same number."""
    history.poll(process, {"k": [(value, value) for value in values]}, **options)
    return history


def found(history: History, **guarantees) -> dict[str, int]:
    """The kinds of anomaly that break a promise, and how many records each concerns."""
    report = check(history, Guarantees(**guarantees))
    return {kind: report.verdicts[kind].records for kind in report.broken}


def test_a_clean_log_holds_everything():
    history = read(read(log(4), "c", 0, 1), "c", 2, 3)
    report = check(history)
    assert report.ok and not report.anomalies
    assert str(report) == "no acknowledged record was lost"


# Lost write

def test_lost_write():
    assert found(read(log(3), "c", 0, 2)) == {"lost write": 1, "internal poll skip": 1}


def test_lost_write_names_the_records_the_writer_and_the_moment():
    history = log()
    for value in range(5):
        history.send("p", "k", value, value, time=value / 10)
    history.poll("c", {"k": [(0, 0)]})
    history.poll("d", {"k": [(4, 4)]})
    anomaly, = check(history).of("lost write")
    assert (anomaly.key, anomaly.process, anomaly.records, anomaly.offsets, anomaly.count, anomaly.time) == \
        ("k", "p", ((1, 3),), ((1, 3),), 3, 0.1)
    assert "values 1–3 of k" in str(anomaly)


def test_what_nobody_got_past_is_not_lost():
    assert found(read(log(3), "c", 0, 1)) == {}


def test_a_failed_send_cannot_be_lost():
    history = log(1)
    history.send("p", "k", 1, 1, type="fail")
    history.send("p", "k", 2, 2)
    assert "lost write" not in found(read(read(history, "c", 0), "d", 2))


def test_an_unknown_send_that_nobody_saw_is_not_lost():
    history = log(1)
    history.send("p", "k", 1, 1, type="info")
    history.send("p", "k", 2, 2)
    assert found(read(history, "c", 0, 2)) == {}


def test_one_record_seen_proves_the_whole_operation():
    """A batch of unknown outcome of which one record was read was written, so that its other records are owed."""
    history = log(1)
    history.txn("p", ("send", "k", 1, 1), ("send", "k", 2, 2), ("send", "other", 0, 0), type="info")
    history.send("q", "other", 1, 1)
    read(history, "c", 0, 2)
    history.poll("d", {"other": [(1, 1)]})
    assert found(history) == {"lost write": 2, "internal poll skip": 1}


def test_a_duplicate_cannot_make_a_false_loss():
    """Value 0 was read at offset 5 only; that does not prove that a reader got past 1 and 2, since it lies at 0 too."""
    history = log(3)
    history.send("p", "k", 0, 5)
    history.poll("c", {"k": [(5, 0)]})
    assert found(history, idempotence=False, in_order=False) == {}


def test_a_loss_without_known_offsets_is_only_unseen():
    history = History()
    for value in range(3):
        history.send("p", "k", value)
    read(history, "c", 0, 2)
    assert found(history) == {}
    assert check(history).verdicts["unseen"].records == 1


def test_a_read_of_unknown_outcome_is_no_read():
    assert found(read(read(log(3), "c", 0, 2), "d", 1, type="info"))["lost write"] == 1


# Unseen, vanished

def test_unseen_records_are_lost_once_a_final_reader_has_not_found_them():
    history = read(log(3), "c", 0)
    assert check(history).ok and check(history).verdicts["unseen"].word == "permitted"
    read(history, FINAL_READER, 0)
    history.drained = True
    assert found(history) == {"lost write": 2}
    assert str(check(history)).startswith("2 acknowledged records were lost")


def test_fire_and_forget_may_lose_and_is_counted():
    history = read(read(log(3), "c", 0, 2), FINAL_READER, 0, 2)
    history.drained = True
    report = check(history, Guarantees(durable=False))
    assert "lost write" not in report.broken and report.verdicts["lost write"].records == 1
    assert report.verdicts["lost write"].word == "permitted"


def test_vanished_was_read_once_and_is_gone():
    history = read(read(log(3), "c", 0, 1, 2), FINAL_READER, 0)
    assert found(history) == {}
    history.drained = True
    assert found(history) == {"vanished": 2}


def test_vanished_needs_the_acknowledgement():
    history = read(log(1), "c", 0)
    history.send("p", "k", 1, 1, type="info")
    read(read(history, "c", 1), FINAL_READER, 0)
    history.drained = True
    assert found(history) == {}


# What lies where

def test_inconsistent_offset():
    history = log(2)
    history.poll("c", {"k": [(1, 7)]})
    assert found(history)["inconsistent offset"] == 1


def test_an_unproven_send_makes_no_conflict():
    history = read(log(2), "c", 0, 1)
    history.send("q", "k", 7, 1, type="info")
    assert found(history) == {}
    history.poll("d", {"k": [(3, 7)]})  # now it happened, at another offset than its sender believes
    assert set(found(history)) == {"inconsistent offset", "duplicate"}


def test_reads_of_unknown_outcome_are_evidence_of_what_lies_where():
    history = read(log(2), "c", 0, 1)
    history.poll("c", {"k": [(1, 7)]}, type="info")
    assert found(history)["inconsistent offset"] == 1


def test_sparse_offsets_are_fine():
    history = History()
    for value, offset in enumerate((3, 10, 500)):
        history.send("p", "k", value, offset)
    history.poll("c", {"k": [(3, 0), (10, 1)]})
    history.poll("c", {"k": [(500, 2)]})
    assert check(history).ok


def test_duplicate_and_its_exemption():
    history = log(2)
    history.poll("c", {"k": [(0, 0), (1, 1), (2, 1)]})
    assert found(history) == {"duplicate": 1}
    report = check(history, Guarantees(idempotence=False))
    assert report.ok and report.verdicts["duplicate"].records == 1
    assert "1 record was stored more than once (permitted)" in str(report)


def test_the_same_record_read_by_many_is_no_duplicate():
    history = log(2)
    for consumer in "cde":
        read(history, consumer, 0, 1)
    assert check(history).ok


# Aborted and precommitted reads

def test_aborted_read_and_its_exemption():
    history = log(1)
    history.send("p", "k", 1, type="fail")
    read(history, "c", 0, 1)
    assert found(history) == {"aborted read": 1}
    assert found(history, isolation="read_uncommitted") == {}


@pytest.mark.parametrize("type", ["ok", "info"])
def test_a_retry_that_went_through_was_not_aborted(type):
    history = log(1)
    history.send("p", "k", 1, type="fail")
    history.send("p", "k", 1, 1, type=type)
    assert found(read(history, "c", 0, 1)) == {}


def test_reading_an_aborted_record_in_a_failed_operation_is_no_read():
    history = log(1)
    history.send("p", "k", 1, type="fail")
    assert found(read(read(history, "c", 0), "d", 1, type="fail")) == {}


def test_precommitted_read_and_its_exemption():
    history = log(1)
    history.txn("q", ("send", "k", 1, 1), ("poll", {"k": [(0, 0), (1, 1)]}))
    assert found(history) == {"precommitted read": 1}
    assert found(history, isolation="read_uncommitted") == {}


def test_reading_others_records_while_sending_is_fine():
    history = log(1)
    history.txn("q", ("poll", {"k": [(0, 0)]}), ("send", "k", 1, 1))
    assert found(read(history, "c", 0, 1)) == {}


# Polls that skip or go back

def test_internal_poll_skip():
    history = read(read(log(4), "c", 0, 3), "d", 0, 1, 2, 3)
    assert found(history) == {"internal poll skip": 2}
    assert check(history).anomalies[0].records == ((1, 2),)


def test_internal_nonmonotonic_poll():
    assert found(read(log(3), "c", 0, 1, 2, 1)) == {"internal nonmonotonic poll": 2}
    assert found(read(log(1), "c", 0, 0)) == {"internal nonmonotonic poll": 1}


@pytest.mark.parametrize("order", [(0, 3), (3, 0)])
def test_internal_steps_are_excused_by_a_rebalance(order):
    history = read(log(4), "d", 0, 1, 2, 3)
    history.txn("c", ("poll", {"k": [(value, value) for value in order]}), ("rebalance", "k"))
    assert found(history) == {}


def test_a_rebalance_of_another_key_is_no_excuse():
    history = read(log(4), "d", 0, 1, 2, 3)
    history.txn("c", ("poll", {"k": [(0, 0), (3, 3)]}), ("rebalance", "other"))
    assert found(history) == {"internal poll skip": 2}


def test_a_gap_that_nobody_knows_of_is_no_skip():
    history = log()
    history.send("p", "k", 0, 0)
    history.send("p", "k", 1, 5)
    history.poll("c", {"k": [(0, 0), (5, 1)]})
    assert check(history).ok


def test_a_record_of_unknown_place_is_a_neighbour():
    history = read(log(3), "d", 0, 1, 2)
    history.txn("c", ("poll", {"k": [(0, 0), (-1, 9), (2, 2)]}))
    assert found(history) == {}


def test_external_poll_skip_and_its_exemption():
    history = read(read(read(log(4), "c", 0), "c", 3), "d", 0, 1, 2, 3)
    assert found(history) == {"external poll skip": 2}
    assert found(history, subscribe=True) == {}


def test_external_nonmonotonic_poll_and_its_exemption():
    history = read(read(log(3), "c", 0, 1, 2), "c", 1, 2)
    assert found(history) == {"external nonmonotonic poll": 2}
    assert found(history, subscribe=True) == {}


def test_processes_do_not_share_a_position():
    assert check(read(read(log(2), "c", 0, 1), "d", 0, 1)).ok


@pytest.mark.parametrize("type", ["fail", "info"])
def test_a_read_of_unknown_outcome_does_not_advance(type):
    """It has to rewind, so that reading the same again is right and going on from it is a skip."""
    history = read(read(log(3), "d", 0, 1, 2), "c", 0)
    read(history, "c", 1, type=type)
    assert check(read(history, "c", 1, 2)).ok
    wrong = read(read(log(3), "d", 0, 1, 2), "c", 0)
    read(wrong, "c", 1, type=type)
    assert found(read(wrong, "c", 2)) == {"external poll skip": 1}


def test_a_read_of_unknown_outcome_must_start_in_the_right_place():
    history = read(read(log(3), "d", 0, 1, 2), "c", 0)
    assert found(read(history, "c", 2, type="info")) == {"external poll skip": 1}


def test_assigning_other_keys_forgets_the_position():
    history = read(read(log(4), "d", 0, 1, 2, 3), "c", 0)
    history.assign("c", ["k", "other"])
    read(history, "c", 1)
    history.assign("c", ["other"])
    history.assign("c", ["k"])
    assert check(read(history, "c", 3)).ok


def test_assigning_the_key_again_keeps_the_position():
    history = read(read(log(4), "d", 0, 1, 2, 3), "c", 0)
    history.assign("c", ["k", "other"])
    history.assign("e", [])
    assert found(read(history, "c", 3)) == {"external poll skip": 2}


def test_a_crash_forgets_the_position():
    history = read(read(log(4), "d", 0, 1, 2, 3), "c", 0, 1)
    history.crash("c")
    assert check(read(history, "c", 0)).ok


# Sends in the wrong order

def test_nonmonotonic_send_and_its_exemption():
    history = log()
    history.send("p", "k", 0, 1)
    history.send("p", "k", 1, 0)
    history.poll("c", {"k": [(0, 1), (1, 0)]})
    assert found(history) == {"nonmonotonic send": 2}
    assert found(history, in_order=False) == {}


def test_sends_are_compared_in_the_order_of_invocation():
    """A pipelined send that completes later but was invoked earlier, and lies first, is in order."""
    history = log()
    first, second = history.op(), history.op()
    code = history.processes.code("p")
    history.sent(second, code, 0, 1, 1, 1, 0, 0, 0.1, 0.2)
    history.sent(first, code, 0, 0, 1, 0, 0, 0, 0.0, 0.3)
    assert check(read(history, "c", 0, 1)).ok


def test_an_unknown_send_still_has_to_be_in_order():
    history = log()
    history.send("p", "k", 0, type="info")
    history.send("p", "k", 1, 0)
    history.poll("c", {"k": [(0, 1), (1, 0)]})
    assert found(history) == {"nonmonotonic send": 2}


def test_a_failed_send_has_no_order():
    history = log()
    history.send("p", "k", 0, 1, type="fail")
    history.send("p", "k", 1, 0)
    history.poll("c", {"k": [(0, 1)]})
    assert found(history) == {}


def test_internal_nonmonotonic_send():
    history = log()
    history.txn("p", ("send", "k", 0, 1), ("send", "k", 1, 0))
    history.poll("c", {"k": [(0, 1), (1, 0)]})
    assert found(history) == {"internal nonmonotonic send": 2}


def test_internal_send_skip_is_always_permitted():
    history = log()
    history.txn("p", ("send", "k", 0, 0), ("send", "k", 2, 2))
    history.send("q", "k", 1, 1)
    report = check(read(history, "c", 0, 1, 2))
    assert report.ok and report.verdicts["internal send skip"].records == 1


def test_a_rewritten_log_has_no_order_of_sends():
    """After offset 1 was given out twice, that value 3 lies before value 2 says nothing about when they were sent."""
    history = log(3)
    history.send("p", "k", 3, 1)
    history.poll("c", {"k": [(0, 0), (1, 3)]})
    assert found(history) == {"inconsistent offset": 1, "lost write": 1}


# Verdicts

def test_nothing_read_leaves_reads_unknown():
    report = check(log(3))
    assert not report.ok and not report.broken
    assert report.verdicts["lost write"].verdict == "unknown"
    assert report.verdicts["nonmonotonic send"].verdict == "holds"
    assert str(report).startswith("whether anything was lost is unknown (no poll returned a record); 3 acknowledged "
                                  "records were never seen")


def test_an_empty_history_is_unknown():
    assert check(History()).verdicts["duplicate"].verdict == "unknown"


def test_what_cannot_be_read_makes_the_rest_unknown():
    history = read(log(1), "c", 0)
    history.sent(history.op(), 0, 0, 5, -3, 5, 0, 0, 0.0, 0.0)
    report = check(history)
    assert report.verdicts["lost write"].verdict == "unknown"
    assert report.verdicts["lost write"].reason == "1 row could not be read"


def test_only_the_largest_are_spelled_out_but_all_are_counted():
    history = log(400)
    for value in range(0, 400, 4):
        read(history, f"c{value}", value, min(value + 2 + value // 100, 399))
    report, everything = check(history), check(history, limit=None)
    assert report.verdicts["internal poll skip"].cases == len(everything.of("internal poll skip")) == 100
    sizes = [anomaly.count for anomaly in report.of("internal poll skip")]
    assert len(sizes) == 20 and sizes == sorted(sizes, reverse=True) and sizes[0] == 4
    assert report.verdicts["internal poll skip"].records == sum(a.count for a in everything.of("internal poll skip"))
