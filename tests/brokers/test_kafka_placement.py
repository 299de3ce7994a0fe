"""Replicas and clients stand where they were placed, and every byte goes where that makes it go."""
from dataclasses import replace

import pytest

from simulator import Workload, faults, kafka, simulate

PLACED = kafka.Placement(replicas=((1, 2, 3), (2, 3, 1), (1, 3, 4)), producers=(("a", (0, 2)), ("b", (1,))),
                         consumers=(("a", (0, 1, 2)), ("c", (0, 1))), shares=(1, 2, 3))
CLUSTER = kafka.Cluster(brokers=4, partitions=3, zones=("a", "b", "c", "c"), placement=PLACED,
                        producer=kafka.Producer(linger=0.05, batch_size=1_000_000))
ORDERS = Workload(rate=600, record_bytes=10_000, seconds=2, arrivals="even")


def megabytes(run) -> dict:
    """What crossed zones, without what the protocol adds: a request or an answer is 100 bytes or so."""
    traffic = run.meters.traffic.items()
    return {pair: round(amount / 1e6) for pair, amount in traffic if amount > 1e5 and pair[0] != pair[1]}


def test_the_shares_are_kept_at_any_length():
    for count in (6, 60, 601):
        parts = [list(PLACED.partitions_of(count)).count(key) for key in range(3)]
        assert all(abs(part - count * share / 6) <= 1.5 for part, share in zip(parts, (1, 2, 3)))


def test_every_byte_goes_where_the_placement_makes_it_go():
    run = simulate(CLUSTER, ORDERS, seed=7)
    produced = [2.0, 4.0, 6.0]  # MB for each partition: 12 in 2 s, as 1 to 2 to 3
    assert [len(times) / 100 for times in run.history.created.values()] == pytest.approx(produced, abs=0.02)
    assert megabytes(run) == {("a", "b"): 2, ("a", "c"): 2 + 6 + 6 + 2, ("b", "a"): 4 + 4, ("b", "c"): 4 + 4}
    assert run.check().ok and run.history.drained


def test_a_group_in_each_zone_reads_everything_from_the_nearest_replica():
    near = simulate(replace(CLUSTER, consumer=kafka.Consumer(rack=True)), ORDERS, seed=7)
    assert megabytes(near) == {("a", "b"): 2, ("a", "c"): 2 + 6 + 6, ("b", "a"): 4, ("b", "c"): 4}


def test_groups_that_share_a_partition_read_all_of_it_whoever_is_slower():
    run = simulate(CLUSTER, ORDERS, seed=7, faults=[faults.slow_network("consumer-2", extra=3.0, at=0, lasts=1)])
    polls, names = run.history.polls.rows, run.history.processes
    for consumer, keys in (("consumer-1", (0, 1, 2)), ("consumer-2", (0, 1))):
        mine = polls[polls["process"] == names.code(consumer)]
        read = [int(mine["count"][mine["key"] == key].sum()) for key in keys]
        assert read == [len(run.history.created[key]) for key in keys]


@pytest.mark.parametrize("field, value", [
    ("replicas", ((1, 2, 3), (2, 3, 1))), ("replicas", ((1, 2, 3), (2, 3, 1), (1, 3, 5))),
    ("replicas", ((1, 1, 2),) * 3),
    ("producers", (("a", (0, 1)),)), ("producers", (("a", (0, 1, 2)), ("b", (1,)))), ("consumers", (("a", (3,)),)),
    ("shares", (1, 2)), ("shares", (1, 2, 0))])
def test_a_placement_that_does_not_fit_is_refused_by_name(field, value):
    with pytest.raises(ValueError, match=f"{field}: .* is not allowed; it must be"):
        replace(CLUSTER, placement=replace(PLACED, **{field: value}))
