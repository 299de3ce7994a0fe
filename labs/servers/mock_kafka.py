"""A Kafka cluster to practise on: librdkafka's own mock brokers, in a process of their own, for real clients.

    with mock_kafka.cluster(brokers=3, topics={"orders": 6}) as kafka:
        producer = confluent_kafka.Producer({"bootstrap.servers": kafka.bootstrap})

The library inside the wheel `confluent-kafka` brings the brokers along (src/rdkafka_mock.h, "experimental"): they
speak the Kafka protocol on loopback, so that every timer, retry and callback of a client is the true one. The brokers
are not:

- each partition exists once; replicas and the in-sync set are labels, nothing is copied and nothing can be lost;
- nothing is fenced and nothing is deduplicated: transactions succeed, and `read_committed` returns what was aborted;
- groups follow rules of their own (`labs/mock_groups.py`): the barrier of a classic one stands for session.timeout -
  1 s, however early everybody is there, and `group.instance.id` means nothing in it;
- a partition keeps about 5 MB in memory and forgets what came before.

Whatever is concluded here is about clients. What brokers promise is tested on brokers, or on the simulator.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from . import mock_kafka_process
from .process import Sandbox

NAME = "mock-kafka"
PLACES = ("confluent_kafka.libs/librdkafka*", "confluent_kafka/.dylibs/librdkafka*")
PRODUCE, METADATA = 0, 3                # api keys
NOT_ENOUGH_REPLICAS = 19                # error codes
MESSAGE_TOO_LARGE = 10


def find() -> str | None:
    """The path of a librdkafka that brings mock brokers along; None if there is no such library."""
    spec = find_spec("confluent_kafka")
    folders = [Path(folder).parent for folder in spec.submodule_search_locations] if spec else []
    found = (path for folder in folders for place in PLACES for path in sorted(folder.glob(place)))
    return next((str(path) for path in found if has_mock(path)), None)


def missing() -> str:
    """One sentence for an environment without mock brokers."""
    return ("the mock cluster of librdkafka is not in this environment: run `pip install confluent-kafka==2.16.1` "
            "and restart the kernel; its wheels for Linux (glibc), macOS and Windows have it, "
            "a librdkafka built otherwise may not")


def has_mock(path: Path) -> bool:
    """Whether a library names every function that the mock's process calls."""
    content = path.read_bytes()
    return all(f"rd_kafka_mock_{name}".encode() in content for name in mock_kafka_process.FUNCTIONS)


class Cluster:
    """Mock brokers 1 to `brokers` with topics of so many partitions; `events` lists (time.monotonic(), what, whom)."""

    def __init__(self, brokers: int = 3, topics: dict[str, int] | None = None):
        if brokers not in range(1, 10):
            raise ValueError(f"brokers: {brokers!r} is not a number of brokers from 1 to 9")
        self.brokers, self.topics = brokers, dict(topics or {})
        self.events: list[tuple[float, str, str]] = []
        self.sandbox: Sandbox | None = None

    def start(self) -> Cluster:
        """Starts the process and creates the topics."""
        path = find()
        if path is None:
            raise FileNotFoundError(missing())
        self.sandbox, self._answers = Sandbox(), 0
        try:
            command = [sys.executable, "-I", "-S", mock_kafka_process.__file__, path, str(self.brokers)]
            self.server = self.sandbox.start(NAME, command, stdin=subprocess.PIPE)
            self.server.wait_ready(lambda: self._lines())
            self.bootstrap = self._lines()[0]["bootstrap"]
            for topic, partitions in self.topics.items():
                self._call("topic_create", topic, partitions, min(3, self.brokers))
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Ends the brokers, and whatever else lives in the sandbox."""
        if self.sandbox:
            for server in self.sandbox.servers.values():
                # the data goes anyway, and clients would spend seconds on farewells to brokers that are gone
                server.kill()
            self.sandbox.close()
            self.sandbox = None

    def __enter__(self) -> Cluster:
        return self.start()

    def __exit__(self, *exception) -> None:
        self.stop()

    # What can happen to brokers

    def down(self, broker: int) -> None:
        """A broker refuses connections and closes those it has."""
        self._act("down", broker, "broker_set_down")

    def up(self, broker: int) -> None:
        """A broker is back; it never lost anything."""
        self._act("up", broker, "broker_set_up")

    def rtt(self, broker: int, seconds: float) -> None:
        """Every answer of a broker takes so much longer."""
        self._act(f"{seconds:g} s away", broker, "broker_set_rtt", round(1000 * seconds))

    def lead(self, topic: str, partition: int, broker: int) -> None:
        """A broker leads a partition from now on."""
        self.events.append((time.monotonic(), f"leads {topic}-{partition}", f"broker-{self._broker(broker)}"))
        self._call("partition_set_leader", topic, partition, broker)

    def refuse(self, *errors: int, api: int = PRODUCE) -> None:
        """The next requests of a kind are answered with these error codes, one each."""
        self.events.append((time.monotonic(), f"refuses {len(errors)} requests", "brokers"))
        self._call("push_request_errors_array", api, errors)

    def delay(self, seconds: float, requests: int, api: int) -> None:
        """On every broker, the next requests of a kind are answered so much later."""
        answers = [(0, round(1000 * seconds))] * requests  # no error, only late
        for broker in range(1, self.brokers + 1):
            for first in range(0, requests, 100):
                self._call("broker_push_request_error_rtts", broker, api, answers[first:first + 100])

    # Groups

    def groups(self, *, initial_rebalance_delay: float = 3.0, session_timeout: float = 30.0,
               heartbeat_interval: float = 3.0) -> None:
        """What a real broker's configuration would say, in seconds; the last two are those of KIP-848 groups.

        The leader of a classic group asks for metadata before it assigns. That answer is delayed here, because the mock
        refuses (INVALID_REQUEST) a follower's SyncGroup that comes after the leader's, and it would join once more.
        """
        self.delay(0.03, requests=400, api=METADATA)
        self._call("group_initial_rebalance_delay_ms", round(1000 * initial_rebalance_delay))
        self._call("set_group_consumer_session_timeout_ms", round(1000 * session_timeout))
        self._call("set_group_consumer_heartbeat_interval_ms", round(1000 * heartbeat_interval))

    def share_groups(self, *, lock_duration: float = 30.0, max_delivery_attempts: int = 5,
                     session_timeout: float = 45.0, heartbeat_interval: float = 5.0) -> None:
        """How long a share group's member holds a record, how often a record is tried, when the silent are out."""
        self._call("sharegroup_set_record_lock_duration", round(1000 * lock_duration))
        self._call("sharegroup_set_max_delivery_attempts", max_delivery_attempts)
        self._call("sharegroup_set_session_timeout", round(1000 * session_timeout))
        self._call("sharegroup_set_heartbeat_interval", round(1000 * heartbeat_interval))

    def share(self, group: str, topic: str) -> int:
        """From now on every member of a share group may read every partition of a topic; the number of members.

        The mock's own assignment gives each partition to one member, which is not what share groups are for.
        """
        return self._ask("share", group, topic, self.topics[topic])

    # Talking to the process

    def _act(self, what: str, broker: int, function: str, *arguments) -> None:
        self.events.append((time.monotonic(), what, f"broker-{self._broker(broker)}"))
        self._call(function, broker, *arguments)

    def _broker(self, broker: int) -> int:
        if broker not in range(1, self.brokers + 1):
            raise ValueError(f"broker: {broker!r} is not one of 1 to {self.brokers}")
        return broker

    def _call(self, function: str, *arguments) -> None:
        if error := self._ask(function, *arguments):
            raise RuntimeError(f"{function}{arguments} is refused with librdkafka's error {error}")

    def _ask(self, function: str, *arguments) -> int:
        self.server.process.stdin.write(f"{json.dumps([function, *arguments])}\n".encode())
        self.server.process.stdin.flush()
        self._answers += 1
        self.server.wait_ready(lambda: len(self._lines()) > self._answers)
        return self._lines()[self._answers]["answer"]

    def _lines(self) -> list[dict]:
        """What the process has said; librdkafka's own log lines stand between."""
        lines = self.server.log.read_text().splitlines(True)
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]


def cluster(brokers: int = 3, topics: dict[str, int] | None = None) -> Cluster:
    """A mock cluster, to be used in a `with` block or started and stopped."""
    return Cluster(brokers, topics)
