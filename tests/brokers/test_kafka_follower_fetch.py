"""Fetch from follower (KIP-392): fewer bytes between zones, more delay, and nobody reads what is not committed."""
from dataclasses import replace

import numpy as np
import pytest

from simulator import Workload, faults, kafka, simulate
from simulator.brokers.kafka.broker import Broker
from simulator.kernel.network import NetworkProfile

from .schedules import QUICK, run

NEAR = kafka.Consumer(rack=True)
ORDERS = Workload(rate=100, record_bytes=1_000, seconds=8, keys=50, consumers=2)


def delivered_bytes(made, crossing: bool) -> float:
    """Bytes of records handed to consumers, over zone borders or within a zone."""
    rows, nodes = made.trace.events.rows, made.trace.nodes
    polled = rows[made.trace.where("polled")]
    return sum(int(row["count"]) * 1_000
               for row in polled if (nodes[row["node"]].zone != nodes[row["peer"]].zone) == crossing)


@pytest.fixture(scope="module")
def pair():
    """The same orders read from leaders, and from whoever is in the consumer's zone."""
    return [simulate(kafka.Cluster(consumer=consumer), ORDERS, seed=7) for consumer in (kafka.Consumer(), NEAR)]


def test_records_reach_consumers_within_their_zone(pair):
    far, near = pair
    assert delivered_bytes(far, crossing=True) > 0.4 * len(far.latency.seconds) * 1_000
    # the first answers of leaders
    assert delivered_bytes(near, crossing=True) < 0.02 * len(near.latency.seconds) * 1_000
    assert near.meters.cross_zone_bytes() < far.meters.cross_zone_bytes()
    assert near.check().ok and far.check().ok


def test_bytes_from_producers_and_to_followers_stay_what_they_were(pair):
    """KIP-392 moves the consumers' part only; also saved are answers that bring followers only a watermark."""
    saved = pair[0].meters.cross_zone_bytes() - pair[1].meters.cross_zone_bytes()
    records = delivered_bytes(pair[0], crossing=True)
    assert 0.6 * records < saved <= 1.7 * records


def test_a_follower_is_later_by_the_way_of_the_high_watermark():
    """At 10 ms a link a quiet partition's record reaches the leader's readers at once.

    A follower's readers have it after its fetch has waited.
    """
    network = NetworkProfile(same_zone=0.010, cross_zone=0.010)
    cluster = kafka.Cluster(brokers=2, replication=2, partitions=2, zones=("a", "b"), network=network,
                            producer=kafka.Producer(linger=0.0))
    # one consumer, in zone a; partition 1 is led from zone b
    lonely = Workload(rate=2, seconds=20, keys=20, arrivals="even")
    far, near = (simulate(replace(cluster, consumer=consumer), lonely, seed=7) for consumer in (kafka.Consumer(), NEAR))
    assert _delay(far, key=1) == pytest.approx(0.040, abs=1e-4)   # produce, fetched, fetch, polled
    # produce, fetched, fetch; half a second at most; fetched with the high watermark, polled
    assert 0.3 < _delay(near, key=1) <= 0.5501
    assert _delay(near, key=0) == pytest.approx(0.040, abs=1e-4)  # led from the consumer's own zone


def _delay(made, key: int) -> float:
    """The median time from a record's creation to its delivery, in one partition."""
    polls = made.history.polls.rows
    polls = polls[(polls["key"] == key) & (polls["process"] != made.history.processes.code("final-reader"))]
    return float(np.median(polls["completed"] - made.history.created[key][polls["value"]]))


def test_a_consumer_without_a_rack_reads_from_leaders(pair):
    assert len(pair[0].trace.where("nearby")) == 0 < len(pair[1].trace.where("nearby"))


def test_only_replicas_in_sync_are_named():
    """Broker-2 is out of the in-sync set when the consumer of its zone comes back; so it reads from the leader."""
    cut_off = [faults.partition(["broker-2"], ["broker-1", "broker-3"], at=1, lasts=20),
               faults.crash("consumer-2", at=12, lasts=1)]
    system = replace(QUICK, partitions=2, consumer=NEAR)
    made = simulate(system, Workload(rate=50, seconds=18, keys=50, consumers=2), faults=cut_off, seed=7, settle=60)
    rows = made.trace.events.rows[made.trace.where("nearby", node="consumer-2")]
    names = [made.trace.nodes[row["peer"]].name for row in rows if 13 < row["time"] < 20]
    assert made.check().ok and "broker-2" not in names


@pytest.mark.parametrize("fault", [faults.crash("broker-2", at=3, lasts=4), faults.crash("broker-1", at=3, lasts=4),
                                   faults.power_loss("broker-2", at=3, lasts=4)], ids=str)
def test_who_loses_the_follower_goes_back_to_the_leader(fault):
    made = simulate(replace(QUICK, consumer=NEAR), Workload(rate=50, seconds=12, keys=50, consumers=2), faults=[fault],
                    seed=7, settle=120)
    assert made.check().ok and made.history.drained
    assert made.history.records_sent() == len(made.end_to_end.seconds)


@pytest.fixture
def watched(monkeypatch):
    """Every answer to a consumer is held against what the answering broker knew to be committed."""
    respond, seen = Broker._respond, {"leader": 0, "follower": 0}

    def checked(broker, session, cause, errors):
        committed = {key: broker.logs[key].high_watermark for key in session.positions}
        link_send = session.link.send

        def send(kind, target, parts, *rest, **more):
            for key, batches, *_ in parts:
                if batches and session.follower < 0:
                    assert batches[-1].end <= committed[key]
                    seen["leader" if key in broker.leading else "follower"] += 1
            return link_send(kind, target, parts, *rest, **more)
        monkeypatch.setattr(session.link, "send", send)
        respond(broker, session, cause, errors)
        monkeypatch.setattr(session.link, "send", link_send)
    monkeypatch.setattr(Broker, "_respond", checked)
    return seen


@pytest.mark.parametrize("seed", range(40))
def test_under_any_faults_no_follower_serves_above_its_high_watermark_and_all_promises_hold(seed, watched):
    made = run(seed, replace(QUICK, partitions=3, consumer=NEAR))
    assert made.check().ok, str(made.check())
    assert watched["follower"] > 0
