"""A Kafka client in the few ways in which the calls of `wire_calls` use it, and how they say that something is not so.

Nothing here waits longer than `PATIENCE` for one thing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from labs.recorders.kafka import settings

PATIENCE = 5            # seconds for one request
COUNT = 20              # records
CALLS: dict[str, Callable[[str, str], None]] = {}   # what a call is named in the table -> bootstrap, topic


class Wrong(Exception):
    """The broker answered, and what it said is not so."""


def call(name: str):
    """Adds a function to the calls, in the order of the table."""
    def add(function):
        CALLS[name] = function
        return function
    return add


def expect(seen, expected, what: str) -> None:
    """What was seen is what was expected, or Wrong says both."""
    if seen != expected:
        raise Wrong(f"{what}: {seen}, not {expected}")


def become(see: Callable, expected, what: str) -> None:
    """The same of what takes a moment to spread through a cluster."""
    deadline = time.monotonic() + PATIENCE
    while see() != expected and time.monotonic() < deadline:
        time.sleep(0.1)
    expect(see(), expected, what)


# The client, in the few ways in which it is used

def admin(bootstrap: str) -> AdminClient:
    """An administrator."""
    return AdminClient(settings(bootstrap, {}))


def answer(client: AdminClient, request: str, thing, **options):
    """What came of asking an administrator for one thing; who lets go of the client gets no answer."""
    (future,) = getattr(client, request)([thing], request_timeout=PATIENCE, **options).values()
    return future.result(PATIENCE + 1)


def produce(bootstrap: str, topic: str, count: int = COUNT, headers=None, timestamp: int = 0, **options) -> None:
    """Records 0, 1, ... to partition 0, every one of them acknowledged."""
    producer = Producer(settings(bootstrap, {"message_timeout_ms": 1000 * PATIENCE, **options}))
    errors: list = []
    for value in range(count):
        producer.produce(topic, b"%d" % value, partition=0, headers=headers or [],
                         timestamp=timestamp + value if timestamp else 0,
                         on_delivery=lambda error, message: error and errors.append(error))
    producer.flush(PATIENCE + 1)
    if errors:
        raise KafkaException(errors[0])


def read(bootstrap: str, topic: str, count: int = COUNT, **options) -> list:
    """The first messages of partition 0, so many of them if there are."""
    consumer = Consumer(settings(bootstrap, {"group_id": f"reader-of-{topic}", "enable_auto_commit": False, **options}))
    try:
        consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        return take(consumer.poll, count)
    finally:
        consumer.close()


def take(poll: Callable, count: int, patience: float = PATIENCE) -> list:
    """So many messages, TimeoutError if they have not come in time."""
    messages, deadline = [], time.monotonic() + patience
    while len(messages) < count and time.monotonic() < deadline:
        message = poll(0.2)
        if message is not None and message.error():
            raise KafkaException(message.error())
        messages += [message] if message is not None else []
    if len(messages) < count:
        raise TimeoutError
    return messages


def values(messages: list) -> list[int]:
    """The numbers of records."""
    return [int(message.value()) for message in messages]


def all_read(messages: list) -> None:
    """Every record once and in order."""
    seen = values(messages)
    expect((len(set(seen)), seen == sorted(seen)), (COUNT, True), "different records, in order")
