"""Tiered storage (KIP-405): what moves when, who reads it where; nothing within retention is ever unreadable."""
import random
from dataclasses import fields, replace
from itertools import pairwise

import pytest

from simulator import Workload, distributions, faults, kafka, simulate
from simulator.brokers.kafka.log import LogBatch
from simulator.brokers.kafka.tiering.remote import FINISHED, SUFFIXES, RemoteLog
from simulator.brokers.kafka.tiering.segments import SegmentedLog
from simulator.evidence.history import FINAL_READER
from simulator.kernel.objectstore import StoreProfile, profile
from simulator.kernel.world import World

from . import schedules

SMALL = kafka.Tiering(segment_bytes=5_000, segment_time=100.0, local_retention=1.0, task_interval=0.5,
                      retention_check_interval=0.5, chunk_bytes=2_000)
LOCAL = kafka.Tiering(remote=False, segment_bytes=5_000, retention=6.0, retention_check_interval=0.5)
ORDERS = Workload(rate=50, record_bytes=500, seconds=10, keys=50)


def system(tiering=SMALL, **settings) -> kafka.Cluster:
    return replace(schedules.QUICK, **{"partitions": 1, "tiering": tiering} | settings)


def happened(run, kind: str) -> list:
    return list(run.trace.events.rows[run.trace.where(kind)])


class Watched(kafka.Cluster):
    """A cluster that can be looked into after the run."""

    def build(self, world, workload):
        object.__setattr__(self, "running", super().build(world, workload))
        return self.running


# nothing but a reason for the run to go on until the tiers are at rest
REST = faults.pause("controller", at=20, lasts=0.1)


def watched(tiering=SMALL, workload=ORDERS, faults=(), seed=7, **settings):
    """The run and the running system."""
    config = Watched(**{field.name: getattr(system(tiering, **settings), field.name)
                        for field in fields(kafka.Cluster)})
    run = simulate(config, workload, faults=faults, seed=seed, settle=60)
    return run, config.running


def offsets_are_continuous(running) -> bool:
    """Whether a reader at each leader finds every offset from the log's start, once, in all segments together."""
    for key, state in running.controller.partitions.items():
        tiers = running.brokers[state.leader].tiers
        batches = list(tiers.everything(key))
        end = running.brokers[state.leader].logs[key].end_offset
        start = tiers.tiers.remote[key].start_offset
        gaps = any(one.end != other.offset for one, other in pairwise(batches))
        if (batches[0].offset if batches else end) > start or gaps:
            return False
    return True


# A log in segments

def segmented(segment_bytes=100, segment_time=50.0):
    changes = []
    return SegmentedLog(kafka.Tiering(segment_bytes=segment_bytes, segment_time=segment_time), changes.append), changes


def fill(log: SegmentedLog, *sizes: int, epoch: int = 0, every: float = 1.0) -> None:
    for size in sizes:
        log.append(LogBatch(log.end_offset, 2, epoch, log.end_offset, -1, size), every * log.end_offset / 2)


def test_a_segment_is_closed_when_the_next_batch_does_not_fit():
    log, _ = segmented()
    fill(log, 40, 40, 40, 100, 10)
    assert [(segment.base, segment.size) for segment in log.segments] == [(0, 80), (4, 40), (6, 100), (8, 10)]
    assert [(segment.base, end) for segment, end in log.closed()] == [(0, 4), (4, 6), (6, 8)]


def test_a_segment_is_closed_when_it_is_old_and_the_next_batch_comes():
    log, _ = segmented(segment_bytes=10_000, segment_time=3.0)
    fill(log, *[10] * 7)  # at 0, 1, 2, ... 6 s
    assert [segment.base for segment in log.segments] == [0, 6, 12]


def test_deleting_the_beginning_keeps_offsets_and_epochs():
    log, changes = segmented()
    fill(log, 40, 40)
    fill(log, 40, 40, 40, epoch=3)
    log.delete_before(4)
    assert (log.local_start_offset, log.end_offset, log.stored, sum(changes)) == (4, 10, 120, 120)
    assert [batch.offset for batch in log.read(4, 10, 1_000)[0]] == [4, 6, 8] and log.epochs == [(0, 0), (3, 4)]
    assert log.epoch_at(3) == 0 and log.epoch_at(4) == 3 and log.behind(6) == 80


def test_cutting_the_end_never_brings_back_the_beginning():
    log, changes = segmented()
    fill(log, 40, 40, 40, 40, 40)
    log.delete_before(4)
    assert len(log.truncate(7)) == 2 and (log.end_offset, log.stored, sum(changes)) == (6, 40, 40)
    assert [(segment.base, segment.size) for segment in log.segments] == [(4, 40)]
    log.truncate(0)
    assert (log.local_start_offset, log.end_offset, log.stored, log.segments, sum(changes)) == (4, 4, 0, [], 0)
    fill(log, 10)
    assert log.batches[0].offset == 4


def test_repeated_batches_are_recognised_by_what_has_left_the_disk():
    log, _ = segmented()
    fill(log, 40, 40, 40, 40, 40)
    log.delete_before(8)
    assert [batch.offset for batch in log.remembered()] == [0, 2, 4, 6, 8] and len(log.batches) == 1
    log.begin_anew(10, [(0, 0)], log.remembered())
    assert [batch.offset for batch in log.remembered()] == [0, 2, 4, 6, 8] and not log.batches


def test_of_two_copies_a_reader_gets_the_one_of_its_own_epochs():
    """Two leaders copied offsets 4 to 7, one of them in an epoch that an unclean election undid."""
    remote = RemoteLog("k")
    first, second = (segmented()[0] for _ in range(2))
    for log, epoch in ((first, 1), (second, 2)):
        fill(log, 40, 40)
        fill(log, 40, 40, epoch=epoch)
    copies = [remote.begin(log, 4, 8, 0.0) for log in (first, second)]
    assert remote.find(first, 5) is None
    assert all(remote.finish(copy) for copy in copies)
    assert remote.find(first, 5) is copies[0] and remote.find(second, 5) is copies[1] and remote.find(second, 8) is None


def test_a_late_word_about_a_deleted_copy_is_refused():
    remote, (log, _) = RemoteLog("k"), segmented()
    fill(log, 40, 40)
    copy = remote.begin(log, 0, 4, 0.0)
    copy.state = "DELETE_STARTED"
    assert not remote.finish(copy) and remote.find(log, 0) is None


def test_chunks_part_a_segment_at_batches():
    log, _ = segmented(segment_bytes=1_000)
    fill(log, 60, 60, 60, 60)
    copy = RemoteLog("k").begin(log, 0, 8, 0.0)
    assert [copy.chunk_of(offset, 100) for offset in range(8)] == [0, 0, 0, 0, 1, 1, 1, 1]
    assert [[batch.offset for batch in copy.chunk(number, 100)] for number in range(3)] == [[0, 2], [4, 6], []]


# Copying and deleting

def test_a_tier_with_nothing_to_do_changes_nothing():
    """No segment is closed within ten seconds at the defaults."""
    with_tier, without = (simulate(system(tiering), ORDERS, seed=7) for tiering in (kafka.Tiering(), None))
    for table in ("sends", "polls"):
        one, other = (getattr(run.history, table).rows for run in (with_tier, without))
        assert (one[["key", "value", "offset", "completed"]] == other[["key", "value", "offset", "completed"]]).all()


def test_closed_and_committed_segments_are_copied_each_as_three_objects():
    run, running = watched(faults=[REST])
    remote, log = running.tiers.remote[0], running.brokers[0].logs[0]
    assert run.check().ok and len(remote.segments) > 30
    assert all(segment.state == FINISHED for segment in remote.segments)
    assert all(one.end == other.base for one, other in pairwise(remote.segments)) and remote.segments[0].base == 0
    assert remote.segments[-1].end <= log.segments[-1].base and log.segments[-1].base - remote.segments[-1].end < 200
    assert set(running.tiers.store.objects) == {segment.object(suffix) for segment in remote.segments
                                                for suffix in SUFFIXES}
    assert run.meters.counts["object-store PUT requests"] == 3 * len(remote.segments)
    assert run.meters.counts["object-store bytes written"] == running.tiers.store.stored


def test_nothing_above_the_high_watermark_is_copied():
    """Both followers are cut off: the leader goes on with acks=1, and nothing of that may leave for the store."""
    cut_off = [faults.partition(["broker-1"], ["broker-2", "broker-3", "controller"], at=3, lasts=5)]
    run, running = watched(faults=cut_off, producer=kafka.Producer(acks=1))
    marks = happened(run, "high_watermark")
    for row in happened(run, "copied"):
        known = [mark["offset"] for mark in marks if mark["node"] == row["node"] and mark["time"] <= row["time"]]
        assert row["offset"] + row["count"] <= max(known)


def test_every_replica_deletes_what_is_copied_and_old():
    run, running = watched()
    for broker in running.brokers:
        log = broker.logs[0]
        assert 0 < log.local_start_offset <= running.tiers.remote[0].segments[-1].end
    deleted = happened(run, "deleted_locally")
    copied = {row["offset"] + row["count"]: row["time"] for row in happened(run, "copied")}
    assert deleted
    assert all(min(copied[end] for end in copied if end >= row["offset"] + row["count"]) <= row["time"]
               for row in deleted)


def test_local_retention_by_bytes_keeps_that_many():
    _, running = watched(replace(SMALL, local_retention=None, local_retention_bytes=20_000), faults=[REST])
    stored = [broker.logs[0].stored for broker in running.brokers]
    assert all(20_000 <= size < 20_000 + 2 * 5_000 for size in stored)


def test_an_idle_log_keeps_its_open_segment_here():
    """A segment is closed when the next batch comes; so what was written last is never copied, however old."""
    run, running = watched(workload=Workload(rate=5, record_bytes=500, seconds=1, keys=5), faults=[REST])
    assert not running.tiers.remote[0].segments and len(running.brokers[0].logs[0].segments) == 1


def test_while_the_store_is_away_nothing_is_deleted_and_later_all_is_copied():
    run, running = watched(faults=[faults.crash("object-store", at=1, lasts=6)])
    early = [row for row in happened(run, "deleted_locally") if row["time"] < 7]
    first = min(row["time"] for row in happened(run, "copied") if row["time"] > 1.2)
    assert run.check().ok and first > 7 and sum(row["count"] for row in early) <= 3 * 50
    assert offsets_are_continuous(running)


def test_the_remote_tier_forgets_what_is_older_than_the_retention():
    run, running = watched(replace(SMALL, retention=15.0), faults=[REST])
    report, remote = run.check(), running.tiers.remote[0]
    assert report.ok and report.verdicts["expired"].records == remote.start_offset > 100
    assert len(running.tiers.store.objects) == 3 * len(remote.segments)  # the objects are gone too
    assert run.meters.counts["object-store DELETE requests"] == 3 * len(happened(run, "expired"))
    assert offsets_are_continuous(running)


def test_disks_are_metered():
    with_tier, without = (simulate(system(tiering), ORDERS, seed=7).meters
                          for tiering in (SMALL, replace(LOCAL, retention=60.0)))
    assert with_tier.integrals["disk byte-seconds"] < 0.5 * without.integrals["disk byte-seconds"]
    assert with_tier.integrals["object-store byte-seconds"] > 0 == without.integrals["object-store byte-seconds"]


# Reading

AWAY = [faults.crash("consumer-1", at=1, lasts=8)]


def test_a_consumer_that_was_away_reads_from_the_store_and_misses_nothing():
    run, _ = watched(faults=AWAY)
    cold = happened(run, "cold_read")
    assert run.check().ok and len(cold) > 5 and run.meters.counts["object-store GET requests"] >= len(cold)
    assert len(run.end_to_end.seconds) == run.history.records_sent()


def test_a_cold_read_takes_what_the_store_takes():
    slow = StoreProfile(0.2, 0.01, 0.01, 0.01, 0.01)
    run, _ = watched(replace(SMALL, store=slow, chunk_bytes=1_000_000), faults=AWAY)
    reads = [row["time"] for row in happened(run, "cold_read") if row["time"] > 9]
    gaps = [after - before for before, after in pairwise(reads)]
    # each segment: its indexes, then its records
    assert min(gaps) > 0.2 and sorted(gaps)[len(gaps) // 2] == pytest.approx(0.4, abs=0.02)


def test_chunks_are_read_once_for_two_who_read_behind_each_other():
    """Fetches smaller than a chunk are served from the broker's cache."""
    small = kafka.Consumer(max_partition_fetch_bytes=1_000)
    few, many = (watched(replace(SMALL, chunk_bytes=5_000, chunk_cache=cache), faults=AWAY,
                         consumer=small)[0].meters.counts
                 for cache in (16, 0))
    assert few["object-store GET requests"] < 0.5 * many["object-store GET requests"]


def test_cold_readers_do_not_hold_up_the_tail_and_readers_of_the_disk_do():
    """The same catch-up, with all on a disk of 1 MB/s behind a small page cache, and with the old in the store."""
    heavy = Workload(rate=200, record_bytes=1_000, seconds=20, keys=50, consumers=1)
    away = [faults.crash("consumer-1", at=1, lasts=12)]
    disk = dict(segment_bytes=100_000, page_cache=600_000, disk_bandwidth=1e6)
    on_disk, in_store = (simulate(system(tiering), heavy, faults=away, seed=7) for tiering in
                         (replace(LOCAL, retention=100.0, **disk), replace(SMALL, chunk_bytes=100_000, **disk)))
    tails = []
    for run in (on_disk, in_store):
        assert run.check().ok and len(run.end_to_end.seconds) == run.history.records_sent()
        rows = run.history.acknowledged()
        tails.append(max((rows["completed"] - rows["invoked"])[(rows["completed"] > 13) & (rows["completed"] < 16)]))
    assert tails[0] > 0.5 > 0.1 > tails[1]


def test_who_comes_too_late_goes_on_where_the_log_begins():
    run, _ = watched(LOCAL, workload=replace(ORDERS, seconds=14), faults=[faults.crash("consumer-1", at=1, lasts=11)])
    assert len(happened(run, "skipped")) == 1 and run.check().ok
    assert 0 < run.check().verdicts["expired"].records
    assert len(run.end_to_end.seconds) < run.history.records_sent()


# Failures

def test_a_new_leader_goes_on_with_what_the_store_has():
    run, running = watched(faults=[faults.crash("broker-1", at=4, lasts=3)])
    copied = happened(run, "copied")
    assert {run.trace.nodes[row["node"]].name for row in copied} == {"broker-1", "broker-2"}
    assert run.check().ok and offsets_are_continuous(running)
    overlap = sum(row["count"] for row in copied) - max(row["offset"] + row["count"] for row in copied)
    assert 0 <= overlap < 60  # at most a segment or two was copied twice


def test_a_copy_that_a_crash_left_unfinished_is_cleaned_up():
    slow = replace(profile("s3-standard"), put=distributions.Fixed(0.4))
    run, running = watched(replace(SMALL, store=slow), faults=[faults.crash("broker-1", at=4.1, lasts=3)])
    assert run.check().ok and offsets_are_continuous(running)
    known = {segment.object(suffix) for segment in running.tiers.remote[0].segments for suffix in SUFFIXES}
    assert set(running.tiers.store.objects) <= known and run.meters.counts["object-store DELETE requests"] >= 3


@pytest.mark.parametrize("tiering", [SMALL, LOCAL], ids=["remote", "local"])
def test_a_follower_that_was_away_for_long_begins_anew(tiering):
    run, running = watched(tiering, workload=replace(ORDERS, seconds=16),
                           faults=[faults.crash("broker-2", at=2, lasts=10)])
    anew = happened(run, "begun_anew")
    assert [run.trace.nodes[row["node"]].name for row in anew] == ["broker-2"]
    logs = [broker.logs[0] for broker in running.brokers]
    assert run.check().ok and logs[1].end_offset == logs[0].end_offset and logs[1].epochs == logs[0].epochs


def test_a_follower_that_began_anew_can_lead():
    trouble = [faults.crash("broker-2", at=2, lasts=6), faults.crash("broker-1", at=12, lasts=4),
               faults.crash("consumer-1", at=3, lasts=11)]
    run, running = watched(workload=replace(ORDERS, seconds=18), faults=trouble)
    assert running.controller.partitions[0].leader == 1 and run.check().ok and offsets_are_continuous(running)
    assert len(run.end_to_end.seconds) == run.history.records_sent()


def test_with_the_zone_of_a_single_zone_store_the_past_is_lost():
    """S3 Express as a remote tier: the check says so."""
    express = replace(profile("s3-express"))
    run, running = watched(replace(SMALL, store=express), faults=[faults.power_loss("object-store", at=8, lasts=1)])
    assert not run.check().ok and run.check().verdicts["vanished"].records > 100


def trouble(seed: int) -> list[faults.Fault]:
    """The schedules of the other promises, and something for the store and the consumer."""
    draw = random.Random(seed)
    more = [lambda at: faults.crash("object-store", at=at, lasts=draw.uniform(0.3, 4)),
            lambda at: faults.partition(["object-store"], [draw.choice(schedules.BROKERS)], at=at,
                                        lasts=draw.uniform(0.3, 4)),
            lambda at: faults.mute("object-store", schedules.BROKERS, at=at, lasts=draw.uniform(0.3, 2)),
            lambda at: faults.crash("consumer-1", at=at, lasts=draw.uniform(1, 6))]
    return schedules.schedule(seed) + [draw.choice(more)(draw.uniform(0.5, 8)) for _ in range(draw.randint(0, 2))]


VARIANTS = {
    "tiered": SMALL,
    "short retention": replace(SMALL, retention=4.0, local_retention=0.5),
    "by bytes": replace(SMALL, local_retention=None, local_retention_bytes=0, chunk_cache=0,
                        store=profile("s3-express")),
    "local only": LOCAL,
}


def under_faults(variant: str, seed: int) -> str:
    """What a schedule broke, in words: nothing."""
    workload = Workload(rate=30, record_bytes=500, keys=20, seconds=9, consumers=1 + seed % 2)
    run, running = watched(VARIANTS[variant], workload, trouble(seed), seed, partitions=2,
                           consumer=kafka.Consumer(rack=bool(seed % 3 == 0)))
    whole = run.history.drained and (variant == "local only" or offsets_are_continuous(running))
    return str(run.check()) if not run.check().ok else "" if whole else "not everything is readable"


# 779: a leader that does not know it was replaced must not delete what its successor copied. 1829 sent a batch again
# whose first copy had left the disk.
@pytest.mark.parametrize("seed", [*range(18), 779, 1829])
@pytest.mark.parametrize("variant", VARIANTS)
def test_under_any_faults_nothing_acknowledged_and_within_the_retention_is_unreadable(variant, seed):
    assert under_faults(variant, seed) == ""


# Nonsense

@pytest.mark.parametrize("settings, field", [
    ({"remote": "yes"}, "remote"), ({"segment_bytes": 0}, "segment_bytes"), ({"segment_time": 0}, "segment_time"),
    ({"retention": -1}, "retention"), ({"local_retention": 8 * 86_400.0}, "local_retention"),
    ({"local_retention_bytes": -1}, "local_retention_bytes"), ({"task_interval": 0}, "task_interval"),
    ({"retention_check_interval": None}, "retention_check_interval"), ({"reader_threads": 0}, "reader_threads"),
    ({"chunk_bytes": 1.5}, "chunk_bytes"),
    ({"chunk_cache": -1}, "chunk_cache"), ({"page_cache": 0}, "page_cache"), ({"disk_bandwidth": 0}, "disk_bandwidth"),
    ({"store": "s3"}, "store"), ({"remote": False, "local_retention": 1.0}, "local_retention"),
    ({"remote": False, "local_retention_bytes": 1}, "local_retention_bytes")], ids=str)
def test_nonsense_is_refused_by_field(settings, field):
    with pytest.raises(ValueError, match=f"^{field}: .* is not allowed; it must be "):
        kafka.Tiering(**settings)


def test_every_setting_is_refused_something():
    tried = {"remote", "segment_bytes", "segment_time", "retention", "local_retention", "local_retention_bytes",
             "task_interval", "retention_check_interval", "reader_threads", "chunk_bytes", "chunk_cache", "page_cache",
             "disk_bandwidth", "store"}
    assert tried == {field.name for field in fields(kafka.Tiering)}
