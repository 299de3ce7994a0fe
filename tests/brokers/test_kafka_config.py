"""Kafka's settings: real defaults, and nonsense refused with the field, the value and what is allowed."""
import re
from dataclasses import fields, replace
from math import inf, nan

import pytest

from simulator.brokers.kafka import Cluster, Consumer, KRaft, Producer, ZooKeeper
from simulator.kernel.world import World
from simulator.workload import Workload

WHOLE = (0, -1, 1.5, "3", None, True)
SECONDS = (-1, nan, inf, "5 ms", None, True)
POSITIVE_SECONDS = (0, *SECONDS)
BOOLEAN = (1, 0, "yes", None)

REFUSED = {
    Producer: {
        "acks": (2, -1, "one", "ALL", None, True, False, 1.5), "linger": SECONDS, "batch_size": WHOLE,
        "max_in_flight": WHOLE, "idempotence": ("yes", 1, 0), "retries": (-1, 1.5, nan, "many", None, True),
        "retry_backoff": SECONDS, "retry_backoff_max": SECONDS, "request_timeout": POSITIVE_SECONDS,
        "delivery_timeout": (0, 29, *SECONDS),
    },
    Consumer: {
        "fetch_max_wait": POSITIVE_SECONDS, "max_partition_fetch_bytes": WHOLE, "max_poll_records": WHOLE,
        "auto_commit_interval": POSITIVE_SECONDS, "rack": BOOLEAN,
    },
    Cluster: {
        "brokers": (*WHOLE, 61), "partitions": WHOLE, "replication": (*WHOLE, 4), "min_insync": (*WHOLE, 4),
        "zones": ((), [], "abc", ("a", 1), ("",), None), "producer": (None, "fast", Consumer()),
        "consumer": (None, Producer()), "unclean_leader_election": BOOLEAN,
        "replication_protocol": ("kip-966 ", "KIP-101", "elr", None, 320), "flush_every_batch": BOOLEAN,
        "control": (True, 3, "KRaft", ZooKeeper), "replica_lag_time_max": POSITIVE_SECONDS,
        "replica_fetch_wait_max": POSITIVE_SECONDS, "replica_fetch_backoff": POSITIVE_SECONDS,
        "broker_heartbeat_interval": (*POSITIVE_SECONDS, 9.0), "broker_session_timeout": (2.0, *POSITIVE_SECONDS),
        "tiering": (True, "s3"), "placement": (True, "a", ()), "network": (None, 0.001), "disk": (None, "SSD"),
    },
    KRaft: {
        "voters": (*WHOLE, 8), "combined": BOOLEAN, "fetch_timeout": (1.0, *POSITIVE_SECONDS),
        "election_timeout": POSITIVE_SECONDS, "election_backoff_max": POSITIVE_SECONDS,
    },
    ZooKeeper: {"session_timeout": POSITIVE_SECONDS, "load": (-1, "much", None)},
}


@pytest.mark.parametrize("config", REFUSED, ids=lambda config: config.__name__)
def test_every_setting_is_tried_below(config):
    assert set(REFUSED[config]) == {field.name for field in fields(config)}


@pytest.mark.parametrize("config, field, value", [
    pytest.param(config, field, value, id=f"{config.__name__}.{field}={value!r}")
    for config, settings in REFUSED.items() for field, values in settings.items() for value in values])
def test_nonsense_is_refused_with_field_value_and_what_is_allowed(config, field, value):
    with pytest.raises(ValueError) as refusal:
        config(**{field: value})
    sentence = str(refusal.value)
    assert re.fullmatch(r"\w+: .+ is not allowed; it must be [^\n]+", sentence)
    itself = f"{field}: {value!r} is"
    assert sentence.startswith((itself, BLAMED_ON.get(field, itself)))


# Two settings that contradict each other: the message may name the other one.
BLAMED_ON = {"broker_heartbeat_interval": "broker_session_timeout: 9.0 is"}


@pytest.mark.parametrize("settings", [{"acks": 1}, {"acks": 0}, {"max_in_flight": 6}, {"retries": 0}], ids=str)
def test_idempotence_is_on_unless_other_settings_rule_it_out(settings):
    """kafka.apache.org/documentation, enable.idempotence."""
    assert guaranteed(Producer()) and not guaranteed(Producer(**settings))
    with pytest.raises(ValueError, match="^idempotence: True is not allowed; it must be False or None unless"):
        Producer(idempotence=True, **settings)


def guaranteed(producer: Producer) -> bool:
    """Whether a cluster with this producer promises that a repeated batch is stored once."""
    return Cluster(producer=producer).build(World(), Workload(rate=1, seconds=1)).guarantees.idempotence


def test_what_was_settled_for_one_producer_does_not_bind_the_next():
    """A sweep replaces one setting at a time: from acks="all" to acks=1 and back."""
    assert guaranteed(Producer())
    assert not guaranteed(replace(Producer(), acks=1))
    assert guaranteed(replace(Producer(acks=1), acks="all"))


def test_the_defaults_are_those_of_the_documentation():
    """kafka.apache.org/42/documentation: producer, consumer and broker configs."""
    producer, consumer, cluster = Producer(), Consumer(), Cluster()
    assert (producer.acks, producer.linger, producer.batch_size, producer.max_in_flight) == ("all", 0.005, 16_384, 5)
    assert (producer.request_timeout, producer.delivery_timeout, producer.retry_backoff,
            producer.retry_backoff_max) == (30, 120, 0.1, 1)
    assert (consumer.fetch_max_wait, consumer.max_poll_records, consumer.auto_commit_interval) == (0.5, 500, 5)
    assert (cluster.replica_lag_time_max, cluster.broker_session_timeout,
            cluster.broker_heartbeat_interval) == (30, 9, 2)
    assert not cluster.unclean_leader_election and cluster.eligible_leader_replicas


def test_settings_cannot_be_changed_behind_their_checks():
    with pytest.raises(AttributeError):
        Cluster().brokers = 0


def test_a_cluster_names_what_differs_from_the_defaults():
    assert str(Cluster()) == "Kafka()"
    assert str(Cluster(brokers=5, producer=Producer(acks=1, linger=0.0))) == "Kafka(brokers=5, acks=1, linger=0.0)"
