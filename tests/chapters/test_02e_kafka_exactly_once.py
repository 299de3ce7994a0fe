"""What chapter 02e says about exactly once is so: its own cells are run, and the prose is held to what they found."""
from collections import Counter

import numpy as np
import pytest
from reading import Chapter
from scenes import exactly_once as scenes

from simulator import Workload, kafka, simulate
from simulator.views.picture import caption

SOURCE = Chapter("02e-kafka-exactly-once")


def said(text: str) -> bool:
    """Whether the prose says this."""
    return any(text in prose for prose in SOURCE.prose)


# Retries

def test_lost_answers_make_duplicates_and_a_lost_request_makes_a_record_late():
    answers, request = (scenes.harm(scenes.retries(5, False, lost)) for lost in ("answers", "a request"))
    assert answers["twice"] > 0 == answers["out of order"] and request["out of order"] > 0 == request["twice"]


def test_one_in_flight_keeps_the_order_and_not_the_count():
    found = scenes.harm(scenes.retries(1, False, "both"))
    assert found["out of order"] == 0 < found["twice"]


def test_with_idempotence_no_way_of_retrying_does_harm():
    table = scenes.retry_table().set_index(["in flight", "idempotence"])
    assert table.xs("on", level=1).to_numpy().sum() == 0
    assert table["twice"].loc[(1, "off")] < table["twice"].loc[(2, "off")] < table["twice"].loc[(5, "off")]


def test_more_than_five_in_flight_and_idempotence_are_refused():
    with pytest.raises(ValueError, match="idempotence"):
        scenes.retries(6, True)


def test_the_picture_of_a_log_finds_what_the_report_finds(chapter):
    found = scenes.harm(chapter.plain)
    assert found["twice"] == chapter.plain.report.verdicts["duplicate"].records > 5
    told = f"{found['twice']} records twice, {found['out of order']} out of order"
    assert told in caption(scenes.order(chapter.plain))


# Transactions

def test_markers_have_offsets_of_their_own(chapter):
    log = scenes.log_of(chapter.calm, "orders-0", 0.65)
    assert log["offset"].tolist() == list(range(len(log)))
    assert Counter(what.split()[-1] == "marker" for what in log["what"])[True] == 2
    assert scenes.outcomes(chapter.calm).keys() == {"committed"}


def test_the_decision_is_written_before_the_producer_is_told(chapter):
    told = [line.sentence for line in scenes.decisions(chapter.calm, 0.3, 0.63).lines]
    assert next(i for i, text in enumerate(told)
                if "PrepareCommit" in text) < next(i for i, text in enumerate(told) if "committed" in text)
    assert any("CompleteCommit" in text for text in told)


def test_waiting_for_the_commit_takes_half_a_transaction():
    found = scenes.waiting((0.2, 1.0))
    for interval, mean in zip((0.2, 1.0), found["read_committed"]):
        assert interval / 2 < mean < interval / 2 + 0.04
    assert max(found["read_uncommitted"]) < 0.015 and said("7 ms, however long transactions are")
    assert 1000 * found["read_uncommitted"][1] == pytest.approx(7, abs=1)


def test_one_producer_that_stands_still_holds_up_all_readers(chapter):
    committed, uncommitted = (scenes.silence(chapter.stalled[name]) for name in scenes.ISOLATIONS)
    assert committed == pytest.approx(2, abs=0.3) and uncommitted < 0.3


# Zombies and stragglers

def test_the_zombie_is_fenced_and_its_transaction_aborted_when_the_other_came(chapter):
    lines = [(line.time, line.sentence) for line in scenes.decisions(chapter.zombie, 2.0, 4.06).lines]
    assert next(time for time, text in lines if "PrepareAbort" in text) == pytest.approx(3.0, abs=0.02)
    assert next(time for time, text in lines if "fenced" in text) == pytest.approx(4.05, abs=0.02)
    assert chapter.zombie.report.ok and scenes.outcomes(chapter.zombie)["aborted"] == 1


def test_a_late_commit_commits_what_was_aborted_under_version_1_only(chapter):
    first, second = chapter.late[1], chapter.late[2]
    assert first.report.broken == ["aborted read"] and second.report.ok
    assert any("PrepareCommit" in line.sentence and "as asked at 1.583 s" in line.sentence
               and round(line.time, 3) == 3.135
               for line in scenes.decisions(first, 2.68, 3.17).lines)
    assert said("as asked at 1.583 s") and said("the line of 3.135 s")


def test_readers_had_the_records_before_the_application_was_told_that_they_were_aborted(chapter):
    told = next(line.time for line in scenes.decisions(chapter.late[1], 3.14, 3.17).lines
                if "told that its transaction is aborted" in line.sentence)
    read = chapter.late[1].report.of("aborted read")[0].time
    assert round(told, 3) == 3.161 and round(1000 * (told - read)) == 24
    assert said("“aborted” at 3.161 s") and said("for 24 ms")


def test_there_is_a_smallest_delay_that_breaks_version_1_and_none_that_breaks_version_2():
    """What the reader is asked to find exists."""
    late = np.arange(1.05, 1.6, 0.05)
    broken = [bool(scenes.delayed(1, late=float(seconds)).report.broken) for seconds in late]
    assert not any(broken[:2]) and any(broken[2:])
    assert not any(scenes.delayed(2, late=float(seconds)).report.broken for seconds in late)


# Consume, transform, produce

def test_exactly_once_counts_right_and_at_least_once_counts_some_twice(chapter):
    assert chapter.killed["more than once"]["at least once"] > 5 and chapter.killed["never"].sum() == 0
    assert chapter.killed["once"]["exactly once"] == 293 and "Of 293 orders" in "".join(SOURCE.code)
    stunned = scenes.compare_pipelines(scenes.STUNNED)
    assert stunned["once"]["exactly once"] == 293
    assert stunned["never"].sum() == 0 < stunned["more than once"]["at least once"]


def test_the_price_is_a_tenth_of_a_second(chapter):
    calm = scenes.compare_pipelines()["mean age (ms)"]
    assert 100 < calm["exactly once"] - calm["at least once"] < 180 and said("a tenth of a second")


def test_who_does_not_wait_sees_the_aborted_attempts(chapter):
    found = chapter.careless.report.verdicts
    assert found["duplicate"].word == found["dirty read"].word == "permitted" and found["duplicate"].records > 0


# What it may cost

def test_goals_can_be_reached(chapter):
    run = scenes.retries(1, False, "a request")
    assert scenes.harm(run)["out of order"] == 0 and run.faults[0].kind == "drop"


def test_transactions_cost_a_plain_producer_s_latency_many_times_over():
    plain = simulate(kafka.Cluster(partitions=2), Workload(rate=50, seconds=6, keys=20), seed=7)
    assert scenes.transactions().end_to_end.mean > 10 * plain.end_to_end.mean
