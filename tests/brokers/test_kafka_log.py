"""A replica's log against a list of records, and keys against the hash every Kafka client shares."""
from collections import Counter

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from simulator.brokers.kafka.log import Log, LogBatch
from simulator.brokers.kafka.partitioner import murmur2, partition_of_key, partitions_of
from simulator.kernel.streams import Stream


def filled(*batches: tuple[int, int]) -> Log:
    """A log of (count, epoch) batches, 10 bytes a record, written at times 0, 1, 2, ..."""
    log = Log()
    for time, (count, epoch) in enumerate(batches):
        log.append(LogBatch(log.end_offset, count, epoch, log.end_offset, -1, 10 * count), float(time))
    return log


def offsets(batches) -> list[int]:
    return [batch.offset for batch in batches]


# Reading

@pytest.mark.parametrize("offset, found", [(0, [0, 3, 5]), (2, [0, 3, 5]), (3, [3, 5]), (4, [3, 5]), (5, [5]), (9, [])])
def test_a_read_begins_with_the_batch_that_holds_the_offset(offset, found):
    batches, size, count = filled((3, 0), (2, 0), (4, 0)).read(offset, 9, 10 ** 6)
    assert offsets(batches) == found and size == 10 * count == 10 * sum(batch.count for batch in batches)


@pytest.mark.parametrize("limit, found", [(9, [0, 3, 5]), (5, [0, 3]), (3, [0]), (0, [])])
def test_a_read_ends_before_the_limit(limit, found):
    assert offsets(filled((3, 0), (2, 0), (4, 0)).read(0, limit, 10 ** 6)[0]) == found


@pytest.mark.parametrize("max_bytes, found", [(1, [0]), (30, [0]), (31, [0, 3]), (90, [0, 3, 5])])
def test_a_read_stops_once_it_has_enough_bytes_but_brings_one_batch_at_least(max_bytes, found):
    """As KIP-74: the first batch comes even if it is larger than asked for."""
    assert offsets(filled((3, 0), (2, 0), (4, 0)).read(0, 9, max_bytes)[0]) == found


def test_an_empty_log_has_nothing_to_read():
    assert Log().read(0, 0, 100) == ([], 0, 0) and Log().last_epoch == -1 and Log().end_of_epoch(5) == (-1, 0)


# Epochs: KIP-101 and KIP-279

@pytest.mark.parametrize("asked, answer",
                         [(0, (-1, 0)), (1, (1, 5)), (2, (1, 5)), (3, (3, 9)), (4, (4, 10)), (9, (4, 10))])
def test_the_end_of_an_epoch_is_the_start_of_the_next_one_known(asked, answer):
    assert filled((3, 1), (2, 1), (4, 3), (1, 4)).end_of_epoch(asked) == answer


def test_truncation_forgets_the_epochs_it_removes():
    log = filled((3, 1), (2, 2), (4, 3))
    log.truncate(5)
    assert log.epochs == [(1, 0), (2, 3)] and log.last_epoch == 2 and log.end_of_epoch(3) == (2, 5)


# Truncation and power loss

@pytest.mark.parametrize("offset, kept, removed",
                         [(9, [0, 3, 5], []), (20, [0, 3, 5], []), (8, [0, 3], [5]), (5, [0, 3], [5]),
                                                   (4, [0], [3, 5]), (3, [0], [3, 5]), (1, [], [0, 3, 5]),
                          (0, [], [0, 3, 5])])
def test_truncation_cuts_at_or_before_the_offset_at_the_border_of_a_batch(offset, kept, removed):
    log = filled((3, 0), (2, 0), (4, 0))
    log.high_watermark = 9
    assert offsets(log.truncate(offset)) == removed
    assert offsets(log.batches) == kept
    assert log.end_offset == log.high_watermark == sum(batch.count for batch in log.batches)


@pytest.mark.parametrize("flushed, kept", [(-1.0, []), (0.0, [0]), (1.5, [0, 3]), (2.0, [0, 3, 5]), (99.0, [0, 3, 5])])
def test_a_power_loss_takes_what_was_written_after_the_last_flush(flushed, kept):
    log = filled((3, 0), (2, 0), (4, 0))
    log.lose_unflushed(flushed)
    assert offsets(log.batches) == kept


# The log against the simplest thing that could be right: a list of (value, epoch, time), one entry a record

class LogAgainstList(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.log, self.records, self.borders = Log(), [], [0]
        self.now, self.epoch, self.value = 0.0, 0, 0

    @rule(count=st.integers(1, 5), gap=st.sampled_from([0.0, 1.0]), newer=st.integers(0, 2))
    def append(self, count, gap, newer):
        self.now, self.epoch = self.now + gap, self.epoch + newer
        self.log.append(LogBatch(len(self.records), count, self.epoch, self.value, 0, count), self.now)
        self.records += [(self.value + i, self.epoch, self.now) for i in range(count)]
        self.value += count
        self.borders.append(len(self.records))

    @rule(offset=st.integers(0, 40))
    def truncate(self, offset):
        self.cut(max(border for border in self.borders if border <= offset), self.log.truncate(offset))

    @rule(ago=st.floats(0, 5))
    def lose_power(self, ago):
        flushed = self.now - ago
        kept = next((i for i, (_, _, time) in enumerate(self.records) if time > flushed), len(self.records))
        self.cut(kept, self.log.lose_unflushed(flushed))

    def cut(self, keep, removed):
        assert values(removed) == [value for value, _, _ in self.records[keep:]]
        self.records = self.records[:keep]
        self.borders = [border for border in self.borders if border <= keep]

    @precondition(lambda self: self.records)
    @rule(data=st.data())
    def raise_high_watermark(self, data):
        self.log.high_watermark = data.draw(st.sampled_from([b for b in self.borders if b >= self.log.high_watermark]))

    @rule(offset=st.integers(0, 40), limit=st.integers(0, 40), max_bytes=st.integers(1, 10))
    def read(self, offset, limit, max_bytes):
        limit = max(border for border in self.borders if border <= limit)
        batches, size, count = self.log.read(min(offset, len(self.records)), limit, max_bytes)
        start = batches[0].offset if batches else 0
        assert values(batches) == [value for value, _, _ in self.records[start:start + count]]
        assert size == count and size - (batches[-1].size if batches else 0) < max_bytes
        assert start + count <= limit
        assert bool(batches) == (offset < limit), "one batch at least, if there is one"

    @rule(epoch=st.integers(0, 40))
    def end_of_epoch(self, epoch):
        older = [e for _, e, _ in self.records if e <= epoch]
        assert self.log.end_of_epoch(epoch) == ((max(older), len(older)) if older else (-1, 0))

    @invariant()
    def same(self):
        assert values(self.log.batches) == [value for value, _, _ in self.records]
        assert self.log.end_offset == len(self.records) >= self.log.high_watermark
        assert self.log.last_epoch == (self.records[-1][1] if self.records else -1)


def values(batches) -> list[int]:
    return [batch.value + i for batch in batches for i in range(batch.count)]


TestLogAgainstList = LogAgainstList.TestCase
TestLogAgainstList.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


# Keys to partitions

@pytest.mark.parametrize("key, hashed", [("21", -973932308), ("foobar", -790332482), ("abc", 479470107),
                                         ("a-little-bit-long-string", -985981536),
                                         ("a-little-bit-longer-string", -1486304829),
                                         ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)])
def test_murmur2_is_that_of_every_client(key, hashed):
    """The vectors of Kafka's own UtilsTest, as signed 32-bit numbers."""
    unsigned = murmur2(key.encode())
    assert unsigned - (unsigned >> 31 << 32) == hashed


def test_a_negative_hash_loses_its_sign_bit():
    """`toPositive` masks the sign; it does not negate."""
    assert partition_of_key(b"21", 12) == (-973932308 & 0x7FFFFFFF) % 12


def test_records_with_one_key_go_to_one_partition():
    keys = np.array([5, 7, 5, 7, 5])
    where = partitions_of(keys, 5, 12, Stream(7, "s"), 10)
    assert where.tolist() == [partition_of_key(f"key-{key}".encode(), 12) for key in keys]


def test_many_keys_reach_every_partition_about_equally():
    counts = Counter(partitions_of(np.arange(12_000), 12_000, 12, Stream(7, "s"), 10).tolist())
    assert set(counts) == set(range(12)) and max(counts.values()) < 1.2 * min(counts.values())


def test_records_without_keys_stay_together_for_one_batch():
    """The sticky partitioner of KIP-480: fuller batches than round robin."""
    where = partitions_of(None, 1005, 6, Stream(7, "s"), 10)
    assert len(where) == 1005 and (where[:1000].reshape(100, 10) == where[:1000:10, None]).all()
    assert set(where.tolist()) == set(range(6))
