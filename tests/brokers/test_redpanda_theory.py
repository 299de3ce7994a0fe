"""Redpanda against closed forms: k-of-n acknowledgements, pauses, and the queue at a core."""

import numpy as np
import pytest

from simulator import Pauses, Workload, distributions, kafka, redpanda, simulate, theory
from simulator.kernel.disk import DiskProfile
from simulator.kernel.network import NetworkProfile

NOWHERE = NetworkProfile.instant()
AT_ONCE = DiskProfile(fsync=0.0)
EAGER = kafka.Producer(linger=0.0)
ONE_BY_ONE = kafka.Producer(linger=0.0, batch_size=1, max_in_flight=1000, idempotence=False)
PATIENT = dict(network=NOWHERE, disk=AT_ONCE, producer=EAGER, zones=("a",), heartbeat=0.97, election_timeout=20.0)
MEAN = 0.010


class SlowAnswers:
    """The cluster, in a world where what the leader sends to a follower takes an exponential time."""

    def __init__(self, cluster):
        self.cluster, self.network = cluster, cluster.network

    def build(self, world, workload):
        system = self.cluster.build(world, workload)
        leader = system.brokers[0].node
        for broker in system.brokers[1:]:
            link = world.network.link(leader, broker.node)
            link.latency = world.sampler(f"test/{broker.node.name}", distributions.Exponential(MEAN))
        return system


@pytest.mark.parametrize("replication, median, slowest", [(3, 0.5, 1.5), (5, 7 / 12, 25 / 12)])
def test_a_majority_waits_for_the_median_where_all_in_sync_wait_for_the_slowest(replication, median, slowest):
    """4,000 waits each: a standard error is at most 1.6 % of the mean; 6 % is allowed, 1 % of it for heartbeats."""
    n = replication - 1
    workload = Workload(rate=0.5, record_bytes=100, seconds=8_000, arrivals="even", consumers=0)
    cluster = redpanda.Cluster(brokers=replication, partitions=1, replication=replication, **PATIENT)
    run = simulate(SlowAnswers(cluster), workload, seed=5, trace=False)
    assert run.latency.mean == pytest.approx(MEAN * median, rel=0.06)
    p99 = theory.kth_of_n_quantile(lambda p: theory.exponential_quantile(p, MEAN), 0.99, n // 2, n)
    assert run.latency.p99 == pytest.approx(p99, rel=0.12)
    assert theory.kth_of_n_exponential_mean(1.0, n // 2, n) == pytest.approx(median)
    assert theory.kth_of_n_exponential_mean(1.0, n, n) == pytest.approx(slowest)  # Kafka's, held in test_kafka_theory


@pytest.mark.parametrize("rule", ["median", "slowest"])
def test_pauses_delay_by_the_leader_s_and_the_order_statistic_of_the_followers(rule):
    """Everything else is instant: the mean wait is that for one process (the leader) and for k of 2 followers.

    A second pause during the wait for a first one is left out of the sum: it adds about the share itself, in relative
    terms.
    """
    length, gap, share = 0.1, 0.9, 0.1
    cluster = (redpanda.Cluster(partitions=1, **PATIENT) if rule == "median" else
               kafka.Cluster(partitions=1, min_insync=1, network=NOWHERE, producer=EAGER, zones=("a",),
                             replica_fetch_wait_max=100.0))
    workload = Workload(rate=5, record_bytes=100, seconds=3_000, arrivals="even", consumers=0)
    run = simulate(Pauses(cluster, length=distributions.Exponential(length), gap=gap), workload, seed=9, trace=False)
    k = 1 if rule == "median" else 2
    expected = theory.paused_wait(length, gap, 1, 1) + theory.paused_wait(length, gap, k, 2)
    assert run.latency.mean == pytest.approx(expected, rel=0.1 + share)
    for wait in (0.01, 0.1, 0.3):
        late = float(np.mean(run.latency.seconds > wait))
        assert late == pytest.approx(1 - theory.paused_answer(length, gap, k, 2, wait), rel=0.2 + share)


def test_the_wait_for_pauses_is_that_of_order_statistics():
    """If everybody always stands still: the k-th of n exponentials; if hardly anybody does, n times a rare wait."""
    assert theory.paused_wait(1.0, 1e-9, 2, 3) == pytest.approx(theory.kth_of_n_exponential_mean(1.0, 2, 3), rel=1e-6)
    assert theory.paused_wait(1.0, 1e6, 3, 3) == pytest.approx(3e-6, rel=1e-3)
    assert theory.paused_wait(1.0, 9.0, 1, 2) == pytest.approx(0.1 ** 2 / 2)
    for k, n in ((1, 1), (1, 2), (2, 4), (4, 4)):  # the mean is what lies above the distribution
        above = [1 - theory.paused_answer(1.0, 9.0, k, n, time) for time in np.arange(0.05, 20, 0.1)]
        mean = theory.paused_wait(1.0, 9.0, 1, 1) + theory.paused_wait(1.0, 9.0, k, n)
        assert 0.1 * sum(above) == pytest.approx(mean, rel=1e-3)
    assert theory.paused_longer(2.0, 6.0, 0.0) == theory.paused_share(2.0, 6.0) == 0.25


@pytest.mark.parametrize("thread_per_core", [True, False])
def test_a_core_is_a_queue_with_constant_service(thread_per_core):
    """One core, 5 ms a batch, 100 batches a second: M/D/1 at 50 % waits 2.5 ms on average.

    With one core a pool is the same.
    """
    one = redpanda.Cluster(brokers=1, partitions=1, replication=1, cores=1, request_cpu=0.005,
                           thread_per_core=thread_per_core, **PATIENT | dict(producer=ONE_BY_ONE))
    run = simulate(one, Workload(rate=100, record_bytes=100, seconds=300, consumers=0), seed=3, trace=False)
    assert run.latency.mean - 0.005 == pytest.approx(theory.md1_wait(100, 200), rel=0.08)
    busy = run.meters.integrals["core seconds broker-1/0"] / 300
    assert busy == pytest.approx(theory.utilization(100, 200), rel=0.02)


def test_a_pool_of_cores_waits_less_than_one_queue_a_core():
    """The price of no locks: a busy core gets no help. Four cores at 70 %, four partitions led by one broker."""
    shared = dict(brokers=1, partitions=4, replication=1, cores=4, request_cpu=0.005,
                  **PATIENT | dict(producer=ONE_BY_ONE))
    workload = Workload(rate=560, record_bytes=100, seconds=30, keys=10_000, consumers=0)
    own, pool = (simulate(redpanda.Cluster(thread_per_core=own, **shared), workload, seed=3, trace=False)
                 for own in (True, False))
    assert own.latency.mean - 0.005 == pytest.approx(theory.md1_wait(140, 200), rel=0.15)
    assert pool.latency.mean - 0.005 < 0.5 * (own.latency.mean - 0.005)
