"""The Kafka model against closed forms: batching, k-of-n acks, bytes between zones, lag and its drain."""

import numpy as np
import pytest

from simulator import Workload, distributions, faults, kafka, simulate, theory
from simulator.kernel.network import NetworkProfile

NOWHERE = NetworkProfile.instant()


def test_batching_delay_is_that_of_the_closed_form():
    """linger 5 ms, 1,000 records/s on one partition, no network: mean wait 2.917 ms, 6 records a batch."""
    cluster = kafka.Cluster(brokers=1, partitions=1, replication=1, min_insync=1, network=NOWHERE,
                            producer=kafka.Producer(linger=0.005, batch_size=10**6))
    run = simulate(cluster, Workload(rate=1_000, record_bytes=100, seconds=120), seed=3, trace=False)
    batches = len(run.history.sends)
    assert run.latency.mean == pytest.approx(theory.linger_delay(1_000, 0.005), rel=0.01)
    assert run.latency.n / batches == pytest.approx(theory.linger_batch(1_000, 0.005), rel=0.01)


@pytest.mark.parametrize("replication, expected", [(2, 1.0), (3, 1.5), (5, 25 / 12)])
def test_acks_all_waits_for_the_slowest_follower(replication, expected):
    """Exponential fetch answers (mean 10 ms), all else instant: acks=all takes the followers' maximum, H_n means."""
    mean = 0.010
    cluster = kafka.Cluster(brokers=replication, partitions=1, replication=replication, min_insync=1, zones=("a",),
                            network=NetworkProfile(same_zone=distributions.Fixed(0.0), cross_zone=0.0,
                                                   bandwidth=float("inf")),
                            producer=kafka.Producer(linger=0.0), replica_fetch_wait_max=100.0)
    run = simulate(_with_slow_answers(cluster, mean),
                   Workload(rate=0.5, record_bytes=100, seconds=10_000, arrivals="even"), seed=5, trace=False)
    assert run.latency.mean == pytest.approx(mean * expected, rel=0.06)
    assert theory.kth_of_n_exponential_mean(1.0, replication - 1, replication - 1) == pytest.approx(expected)


class _with_slow_answers:
    """The cluster, in a world where what the leader sends to a follower takes an exponential time."""

    def __init__(self, cluster, mean):
        self.cluster, self.network, self.mean = cluster, cluster.network, mean

    def build(self, world, workload):
        system = self.cluster.build(world, workload)
        leader = system.brokers[0].node
        for broker in system.brokers[1:]:
            link = world.network.link(leader, broker.node)
            link.latency = world.sampler(f"test/{broker.node.name}", distributions.Exponential(self.mean))
        return system


def test_bytes_between_zones_are_those_of_the_closed_form():
    """Three zones, replication 3, balanced leaders: bytes that cross for each byte produced.

    2 for replication, 2/3 for the producer, 2/3 for a group.
    """
    run = simulate(kafka.Cluster(partitions=12, producer=kafka.Producer(batch_size=10**6, linger=0.1)),
                   Workload(rate=3_000, record_bytes=10_000, seconds=5, keys=10_000), seed=2, trace=False)
    produced = run.latency.n * 10_000
    expected = theory.cross_zone_bytes(groups=1)
    assert run.meters.cross_zone_bytes() / produced == pytest.approx(expected, rel=0.05)


def test_lag_grows_and_drains_as_the_closed_form_says():
    """A consumer at 50 % utilisation stands still for 10 s: it is behind for 10 / (1 - rho) = 20 s."""
    run = simulate(kafka.Cluster(partitions=1), Workload(rate=200, seconds=60, work=0.0025), seed=4,
                   faults=[faults.pause("consumer-1", at=20, lasts=10)], trace=False)
    behind = _seconds_behind(run.history, more_than=0.5)
    assert behind == pytest.approx(theory.behind_time(200, 400, 10), rel=0.12)


def _seconds_behind(history, more_than: float) -> float:
    """For how long the records that were being delivered were older than this."""
    delivered = history.polls.rows
    delivered = delivered[delivered["process"] == history.processes.code("consumer-1")]
    age = delivered["completed"] - history.created[0][delivered["value"]]
    late = np.flatnonzero(age > more_than)
    return float(delivered["completed"][late[-1]] - 20.0)
