"""What one client asks of any broker that speaks Kafka's protocol, and what has to be true afterwards.

The client is librdkafka's, through `confluent-kafka`, and knows nothing about who answers. A call *works* if what its
first line says was observed: no error is not enough. It raises KafkaException if it is refused or not answered,
TimeoutError if too little came in time, and Wrong if an answer came and was not true.
"""

from __future__ import annotations

import time

from confluent_kafka import Consumer, KafkaException, Producer, ShareConsumer, TopicPartition
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic,
                                   ResourceType)

from labs.recorders.kafka import FENCED, settings
from labs.wire_client import (CALLS, COUNT, PATIENCE, Wrong, admin, all_read, answer, become, call, expect,
                              produce, read, take, values)

__all__ = ["CALLS", "Wrong", "call"]


# Records

@call("list brokers and topics")
def metadata(bootstrap: str, topic: str) -> None:
    """The topic is in the metadata, and so is a broker."""
    found = admin(bootstrap).list_topics(timeout=PATIENCE)
    expect((len(found.brokers) > 0, topic in found.topics), (True, True), "a broker, the topic")


@call("produce with acks=all, read back")
def produce_and_read(bootstrap: str, topic: str) -> None:
    """What was acknowledged is read, in the order in which it was sent."""
    produce(bootstrap, topic)
    all_read(read(bootstrap, topic))


@call("headers and the client's timestamps")
def headers(bootstrap: str, topic: str) -> None:
    """Both come back as they were sent."""
    produce(bootstrap, topic, 1, [("trace", b"1")], 1_700_000_000_000)
    (message,) = read(bootstrap, topic, 1)
    expect(message.headers(), [("trace", b"1")], "headers")
    expect(message.timestamp()[1], 1_700_000_000_000, "timestamp")


@call("compressed batches (zstd)")
def compressed(bootstrap: str, topic: str) -> None:
    """A compressed batch is read as it was sent."""
    produce(bootstrap, topic, compression_type="zstd", linger_ms=50)
    all_read(read(bootstrap, topic))


@call("idempotent producer")
def idempotent(bootstrap: str, topic: str) -> None:
    """The broker gives the producer an id and takes its sequences; that it recognises a repeat is not shown."""
    produce(bootstrap, topic, enable_idempotence=True)
    all_read(read(bootstrap, topic))


@call("offset of a moment")
def offset_of_a_moment(bootstrap: str, topic: str) -> None:
    """Asked for the timestamp of a record, the broker names the first record that is not older."""
    produce(bootstrap, topic, timestamp=1_700_000_000_000)
    times = [message.timestamp()[1] for message in read(bootstrap, topic)]
    consumer = Consumer(settings(bootstrap, {"group_id": topic}))
    try:
        (found,) = consumer.offsets_for_times([TopicPartition(topic, 0, times[7])], PATIENCE)
        expect(found.offset, next(offset for offset, when in enumerate(times) if when >= times[7]), "offset")
    finally:
        consumer.close()


# Groups

def _resume(bootstrap: str, topic: str, **options) -> None:
    produce(bootstrap, topic)
    seen = []
    for count in (5, COUNT - 5):
        consumer = Consumer(settings(bootstrap, {"group_id": f"group-of-{topic}", "auto_offset_reset": "earliest",
                                                 "enable_auto_commit": False, **options}))
        try:
            consumer.subscribe([topic])
            seen += take(consumer.poll, count, 2 * PATIENCE)    # to join takes its time
            consumer.commit(seen[-1], asynchronous=False)
        finally:
            consumer.close()
    all_read(seen)


@call("group, classic protocol: commit, resume")
def classic_group(bootstrap: str, topic: str) -> None:
    """A second member begins where the first one committed."""
    _resume(bootstrap, topic, session_timeout_ms=6000)


@call("group, KIP-848 protocol: commit, resume")
def new_group(bootstrap: str, topic: str) -> None:
    """The same under the protocol in which the broker assigns."""
    _resume(bootstrap, topic, group_protocol="consumer")


@call("share group (KIP-932)")
def share_group(bootstrap: str, topic: str) -> None:
    """A member of a share group gets what is produced after it joined."""
    consumer = ShareConsumer(settings(bootstrap, {"group_id": f"share-of-{topic}"}))
    try:
        consumer.subscribe([topic])
        deadline, seen = time.monotonic() + 2 * PATIENCE, []
        consumer.poll(1.0)
        while not seen and time.monotonic() < deadline:
            produce(bootstrap, topic, 1)
            seen = [message for message in consumer.poll(0.5) if message.error() is None]
        if not seen:
            raise TimeoutError
    finally:
        consumer.close()


@call("list groups")
def list_groups(bootstrap: str, topic: str) -> None:
    """A group that has committed is in the list."""
    produce(bootstrap, topic)
    consumer = Consumer(settings(bootstrap, {"group_id": f"listed-{topic}"}))
    try:
        consumer.commit(offsets=[TopicPartition(topic, 0, 3)], asynchronous=False)
    finally:
        consumer.close()
    client = admin(bootstrap)
    found = client.list_consumer_groups(request_timeout=PATIENCE).result(PATIENCE + 1)
    if found.errors:
        raise KafkaException(found.errors[0])
    if f"listed-{topic}" not in {group.group_id for group in found.valid}:
        raise Wrong("the group is not in the list")


# Transactions

def _transactional(bootstrap: str, topic: str) -> Producer:
    producer = Producer(settings(bootstrap, {"transactional_id": f"id-{topic}", "transaction_timeout_ms": 10_000,
                                             "message_timeout_ms": 1000 * PATIENCE}))
    producer.init_transactions(PATIENCE)
    return producer


def _transact(producer: Producer, topic: str, values_: list[int], commit: bool = True) -> None:
    producer.begin_transaction()
    for value in values_:
        producer.produce(topic, b"%d" % value, partition=0)
    producer.flush(PATIENCE)
    (producer.commit_transaction if commit else producer.abort_transaction)(PATIENCE)


@call("transaction, committed")
def committed(bootstrap: str, topic: str) -> None:
    """A reader of committed records sees them all."""
    _transact(_transactional(bootstrap, topic), topic, [1, 2, 3])
    expect(values(read(bootstrap, topic, 3, isolation_level="read_committed")), [1, 2, 3], "read_committed reads")


@call("transaction, aborted")
def aborted(bootstrap: str, topic: str) -> None:
    """A reader of committed records sees only what was committed afterwards."""
    producer = _transactional(bootstrap, topic)
    _transact(producer, topic, [1, 2], commit=False)
    _transact(producer, topic, [3])
    seen = values(read(bootstrap, topic, 1, isolation_level="read_committed"))
    expect(seen, [3], "read_committed begins with")


@call("the older of two producers is fenced")
def fenced(bootstrap: str, topic: str) -> None:
    """Once another producer has taken its transactional id, the first one cannot commit any more."""
    older = _transactional(bootstrap, topic)
    _transactional(bootstrap, topic)
    try:
        _transact(older, topic, [1])
    except KafkaException as error:
        if error.args[0].code() not in FENCED:
            raise
    else:
        raise Wrong("the older producer committed")


# Administration

def partitions(client: AdminClient, topic: str) -> int:
    """How many partitions of a topic are in the metadata."""
    return len(client.list_topics(topic, PATIENCE).topics[topic].partitions)


@call("create a topic")
def create_topic(bootstrap: str, topic: str) -> None:
    """It is in the metadata, with its three partitions."""
    client = admin(bootstrap)
    answer(client, "create_topics", NewTopic(f"{topic}-new", 3, 1))
    become(lambda: partitions(client, f"{topic}-new"), 3, "partitions")


@call("add partitions")
def add_partitions(bootstrap: str, topic: str) -> None:
    """A topic of one partition has two."""
    client = admin(bootstrap)
    answer(client, "create_partitions", NewPartitions(topic, 2))
    become(lambda: partitions(client, topic), 2, "partitions")


@call("describe a topic's configuration")
def describe_configs(bootstrap: str, topic: str) -> None:
    """`retention.ms` is among its settings."""
    found = answer(admin(bootstrap), "describe_configs", ConfigResource(ResourceType.TOPIC, topic))
    expect("retention.ms" in found, True, "retention.ms is there")


@call("change a topic's configuration")
def change_configs(bootstrap: str, topic: str) -> None:
    """What was set is what is described."""
    entry = ConfigEntry("retention.ms", "123456", incremental_operation=AlterConfigOpType.SET)
    client = admin(bootstrap)
    answer(client, "incremental_alter_configs", ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry]))

    def retention() -> str | None:
        found = answer(client, "describe_configs", ConfigResource(ResourceType.TOPIC, topic))
        return found["retention.ms"].value if "retention.ms" in found else None
    become(retention, "123456", "retention.ms")


@call("delete records before an offset")
def delete_records(bootstrap: str, topic: str) -> None:
    """The partition begins there."""
    produce(bootstrap, topic)
    answer(admin(bootstrap), "delete_records", TopicPartition(topic, 0, 5))
    expect([message.offset() for message in read(bootstrap, topic, 1)], [5], "first offset")


@call("delete a topic")
def delete_topic(bootstrap: str, topic: str) -> None:
    """It is no longer in the metadata."""
    client = admin(bootstrap)
    answer(client, "delete_topics", topic)
    become(lambda: topic in client.list_topics(timeout=PATIENCE).topics, False, "still listed")
