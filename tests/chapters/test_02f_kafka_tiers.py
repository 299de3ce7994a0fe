"""What chapter 02f says about tiers and zones is so: its cells are run, the prose held to what they found."""
from dataclasses import replace

import pytest
from reading import Chapter
from scenes import tiers as scenes

from simulator import Workload, kafka, simulate, theory
from simulator.evidence.bill import MONTH, UNITS

SOURCE = Chapter("02f-kafka-tiers")
said = SOURCE.says_together


# The bill

def test_the_zones_are_the_largest_part_of_the_first_bill_and_the_machines_the_smallest():
    made = scenes.monthly(days=7)
    zones = made["zone-out"] + made["zone-in"]
    assert zones > made["disks"] > made["instances"] and zones / made.total > 0.5
    assert made["zone-out"] == pytest.approx(4.0 * 10e6 * MONTH / UNITS["GB"] * 0.01)  # each byte crosses four times


def test_a_tier_pays_from_where_the_closed_form_says(chapter):
    curve = scenes.retention_curve(local_hours=24, partitions=1)
    assert curve.pays_from == pytest.approx(scenes.break_even(24), abs=0.3)
    assert scenes.break_even(24) == pytest.approx(0.24 / 0.217, rel=1e-3)
    ratio = chapter.one / chapter.two
    assert ratio == pytest.approx(scenes.retention_curve().times_cheaper) == pytest.approx(7.56, abs=0.01)
    assert said("ten times less in the store")
    assert scenes.BOOK["disks"].value * 3 / scenes.BOOK["s3-storage"].value == pytest.approx(10.4, abs=0.1)


def test_at_its_default_local_retention_a_tier_costs_more():
    """The quiz: local retention as long as the retention."""
    assert scenes.storage(scenes.monthly(days=30, local_hours=30 * 24)) > scenes.storage(scenes.monthly(days=30))


def test_many_small_segments_cost_more_in_requests_than_they_save():
    topic = dict(mb_per_s=1.0, partitions=2000, roll_hours=1 / 60)
    requests = scenes.monthly(days=30, local_hours=24, **topic)["s3-put"]
    assert requests > scenes.storage(scenes.monthly(days=30, **topic))
    assert said("At 1 MB a second, 2,000 partitions that roll each minute")


def test_a_month_on_paper_is_what_the_model_meters():
    """Disks, store and requests of a steady run against the closed forms that draw the curve; the start is not counted.

    What is left is the time that a segment takes to fill and to be copied, which is some per cent of twelve seconds and
    nothing of a week.
    """
    tiering = kafka.Tiering(segment_bytes=20_000, retention=12.0, local_retention=4.0, task_interval=0.25,
                            retention_check_interval=0.25)
    system = kafka.Cluster(partitions=2, tiering=tiering)

    def metered(seconds):
        return simulate(system, Workload(rate=200, record_bytes=939, seconds=seconds, keys=50, consumers=0), seed=7,
                        trace=False).meters
    early, late = metered(30), metered(60)
    rate = (late.counts["object-store bytes written"] - early.counts["object-store bytes written"]) / 30
    expected = scenes.month(rate / 1e6, 12 / scenes.DAY, local_hours=4 / 3600, groups=0, partitions=2,
                            segment_bytes=20_000)
    for name in ("disk byte-seconds", "object-store byte-seconds"):
        level = (late.integrals[name] - early.integrals[name]) / 30
        assert level == pytest.approx(expected[name] / MONTH, rel=0.13), name
    puts = (late.counts["object-store PUT requests"] - early.counts["object-store PUT requests"]) / 30
    assert puts == pytest.approx(expected["object-store PUT requests"] / MONTH, rel=0.1)


# A log in two tiers

def test_what_is_where(chapter):
    assert chapter.watched.check().ok and 0.15 <= scenes.on_leader(chapter.watched) <= 0.2
    rows = chapter.watched.trace.events.rows
    copied, deleted = (rows[chapter.watched.trace.where(kind)] for kind in ("copied", "deleted_locally"))
    assert all(0.12 < row["time"] % 1 < 0.5 for row in copied) and said("within half a second of the look")
    gone = {row["offset"]: row["time"] for row in deleted}
    assert all(gone[row["offset"]] - row["time"] > 1.5 for row in copied if row["offset"] in gone)


def test_without_the_store_nothing_leaves_the_disks(chapter):
    assert chapter.away.check().ok
    assert scenes.largest_on_disk(chapter.away) > 1.8 * scenes.largest_on_disk(chapter.watched)
    copied = chapter.away.trace.events.rows[chapter.away.trace.where("copied")]
    assert not [row for row in copied if 6.2 < row["time"] < 14]


def test_a_store_in_one_zone_loses_what_only_it_had():
    report = scenes.without_its_zone().check()
    assert not report.ok and report.verdicts["vanished"].records > 300


def test_deleted_by_retention_is_not_lost(chapter):
    report = chapter.short.check()
    assert report.ok and report.verdicts["expired"].records > 300 and report.verdicts["lost write"].records == 0


# Catching up

def test_from_the_disk_everybody_waits_and_from_the_store_the_reader_does(chapter):
    disk, store = chapter.runs["local disks"], chapter.runs["two tiers"]
    assert scenes.slowest_send(disk) > 2.5 and scenes.slowest_send(store) < 0.02
    assert scenes.caught_up_after(disk) == pytest.approx(3, abs=0.2)
    assert said("back after three seconds", "four times as long")
    assert scenes.caught_up_after(store) / scenes.caught_up_after(disk) == pytest.approx(4, abs=0.5)
    assert all(run.check().ok and len(run.end_to_end.seconds) == run.history.records_sent() for run in (disk, store))
    assert store.trace.where("cold_read").size > 20 and said("asks the store twice")


# The zones

def test_crossings_are_those_of_theory(chapter):
    for run, near in ((chapter.far, False), (chapter.near, True)):
        expected = theory.cross_zone_bytes(1, fetch_from_closest=near)
        assert expected < scenes.crossings(run) < 1.08 * expected  # what is more: headers, fetches, heartbeats
    assert 1 - scenes.crossings(chapter.near) / scenes.crossings(chapter.far) == pytest.approx(0.2, abs=0.02)
    assert said("more than half of the crossings are consumers'")
    assert theory.cross_zone_bytes(6) > 2 * theory.cross_zone_bytes(0)


def test_reading_nearby_is_later_and_most_so_where_there_is_little_traffic(chapter):
    later = chapter.near.end_to_end.p50 - chapter.far.end_to_end.p50
    assert 0.010 < later < 0.025 and said("the next records follow within 20 ms")
    table = scenes.delays()
    extra = (table["from the nearest"] - table["from the leader"]).tolist()
    assert extra == sorted(extra, reverse=True) and 50 < extra[0] < 500 and said("largest where there is least to save")


def test_six_groups_save_more_than_the_disks_cost():
    far, near = (scenes.monthly(groups=6, near=near) for near in (False, True))
    assert far.total - near.total > far["disks"] and said("With six groups", "more than all the disks of section 1")


def test_a_fifth_is_saved_with_one_group_and_replication_is_more_than_half(chapter):
    """The last quiz."""
    whole = theory.cross_zone_bytes(1)
    assert 1 - theory.cross_zone_bytes(1, fetch_from_closest=True) / whole == pytest.approx(0.2) and 2 / whole > 0.5
    assert 1 - theory.cross_zone_bytes(1, replication=2) / whole < 0.5


# What is to be turned

def test_the_goals_are_open_at_first_and_can_be_reached():
    start = scenes.retention_curve(1, 1)
    assert start.pays_from is not None and scenes.retention_curve().times_cheaper < 9
    assert scenes.retention_curve(1, 1, 2000, 1 / 60).pays_from is None
    assert scenes.retention_curve(50, 1).times_cheaper >= 9


def test_without_a_price_for_crossing_there_is_nothing_to_save():
    free = scenes.BOOK.with_prices(zone_out=0.0, zone_in=0.0)
    assert scenes.dollars_and_delay(scenes.zones(rate=100.0), book=free).headline.startswith("Reading nearby saves 0 %")
    assert replace(free, prices=()).prices == ()
