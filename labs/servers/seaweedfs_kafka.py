"""A broker that speaks Kafka's protocol and keeps its records in an object store: SeaweedFS's message queue.

Three processes of the same binary: the store (`seaweedfs.py`), `weed mq.broker`, and `weed mq.kafka.gateway`, which
says of itself that it is experimental and not for production. What it takes to run it here:

- it starts only if a schema registry answers, so there is one that knows no schema;
- whatever its port, it sends clients to port 9093. On Linux every start takes another address of the loopback
  network, so that two of them, or another server, do not meet there; elsewhere it needs 9093 of 127.0.0.1;
- `weed mq.broker` has no option that would keep its one port on loopback: while it runs, the network can reach it.

Acknowledged records are in the broker's memory until it flushes them, by default every few seconds.
"""

from __future__ import annotations

import random
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from . import seaweedfs
from .process import HOST
from .seaweedfs import SeaweedFS, binary, free_ports

PORT, TOPIC = 9093, "ready"
find, missing = seaweedfs.find, seaweedfs.missing


class SeaweedKafka:
    """The store, a broker and a gateway; they end together."""

    def __init__(self, flush_seconds: int = 2):
        self.flush_seconds, self.store = flush_seconds, SeaweedFS(quiet=True)
        self.registry: ThreadingHTTPServer | None = None
        self.host = _own_host()

    @property
    def bootstrap(self) -> str:
        """Where clients connect."""
        return f"{self.host}:{PORT}"

    def start(self) -> SeaweedKafka:
        """Starts all and waits until a record can be written and read."""
        self.store.start()
        try:
            self.registry = ThreadingHTTPServer((HOST, 0), EmptyRegistry)
            Thread(target=self.registry.serve_forever, daemon=True).start()
            self._launch()
        except BaseException:
            self.stop()
            raise
        return self

    def _launch(self) -> None:
        sandbox, master = self.store.sandbox, f"-master={HOST}:{self.store.ports['master']}"
        home = {"HOME": str(sandbox.folder), "KAFKA_ADVERTISED_HOST": self.host}
        (port,) = free_ports(1)
        sandbox.start("mq-broker", [binary(), "mq.broker", f"-ip={HOST}", f"-port={port}", master,
                                    f"-logFlushInterval={self.flush_seconds}"], **home)
        registry = f"-schema-registry-url=http://{HOST}:{self.registry.server_port}"
        gateway = sandbox.start("gateway", [binary(), "mq.kafka.gateway", f"-ip={self.host}", f"-ip.bind={self.host}",
                                            f"-port={PORT}", master, registry], **home)
        gateway.wait_ready(lambda: _creates(self.bootstrap) and _keeps(self.bootstrap))

    def stop(self) -> None:
        """Ends all of them and removes the data."""
        if self.registry:
            self.registry.shutdown()
            self.registry.server_close()
            self.registry = None
        if self.store.sandbox:
            for server in self.store.sandbox.servers.values():
                server.kill()   # the data goes anyway
        self.store.stop()

    def __enter__(self) -> SeaweedKafka:
        return self.start()

    def __exit__(self, *exception) -> None:
        self.stop()


class EmptyRegistry(BaseHTTPRequestHandler):
    """A schema registry without schemas."""

    def do_GET(self):
        """Nothing is registered, whatever the question."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, *arguments):
        """Questions are not news."""


def _creates(bootstrap: str) -> bool:
    """Whether there is a topic; the gateway answers before it knows its broker."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    try:
        if TOPIC not in admin.list_topics(timeout=1).topics:
            admin.create_topics([NewTopic(TOPIC, 1, 1)], request_timeout=2)[TOPIC].result(3)
        return True
    except (KafkaException, TimeoutError):
        return False


def _keeps(bootstrap: str) -> bool:
    """Whether a record comes back; the first ones may not, while the broker is still taking its partitions over."""
    producer = Producer({"bootstrap.servers": bootstrap, "message.timeout.ms": 2000, "log_level": 0})
    producer.produce(TOPIC, b"ready", partition=0)
    producer.flush(3)
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": TOPIC, "log_level": 0, "enable.auto.commit": False})
    try:
        reader.assign([TopicPartition(TOPIC, 0, OFFSET_BEGINNING)])
        message = reader.poll(2)
        return message is not None and message.error() is None
    finally:
        reader.close()


def _own_host() -> str:
    """An address of the loopback network that nobody else here uses, where there is more than one."""
    chance = random.SystemRandom()
    return f"127.{chance.randrange(1, 255)}.{chance.randrange(256)}.{chance.randrange(1, 255)}" if (
        sys.platform == "linux") else HOST
