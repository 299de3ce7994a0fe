"""Share groups (KIP-932) with the real client, a preview in confluent-kafka 2.16: accept, release, reject.

A `Worker` is a member in this process; `hold` starts one in a process of its own that takes records and never
acknowledges them, so that it can be frozen or killed with records in its hands.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from confluent_kafka import AcknowledgeType, ShareConsumer

from labs.servers.process import Server, wait_until

HOLDER = Path(__file__).with_name("share_process.py")
VERDICTS = {"accept": AcknowledgeType.ACCEPT, "release": AcknowledgeType.RELEASE, "reject": AcknowledgeType.REJECT}


class Delivery(NamedTuple):
    """A record in a worker's hands: when (seconds), its value, the count of its deliveries, what became of it."""

    time: float
    value: int
    count: int
    verdict: str

    def __str__(self) -> str:
        return f"{self.time:5.2f} s  record {self.value}, delivery {self.count}: {self.verdict}"


def settings(cluster, group: str) -> dict:
    """What both kinds of workers are configured with: every record is acknowledged by name."""
    return {"bootstrap.servers": cluster.bootstrap, "group.id": group, "share.acknowledgement.mode": "explicit",
            "log_level": 2}


class Worker:
    """A member of a share group; it is in the group, and its position set, once it has been made."""

    def __init__(self, cluster, group: str = "workers", topic: str = "tasks"):
        self.consumer = ShareConsumer(settings(cluster, group))
        self.consumer.subscribe([topic])
        self.work(1.0)

    def work(self, seconds: float, decide: Callable[[int], str] = lambda value: "accept",
             since: float | None = None, enough: int | None = None) -> list[Delivery]:
        """Takes records for some seconds, or until it has enough; `decide` says "accept", "release" or "reject".

        Times are counted from `since`, a time.monotonic(), or from now.
        """
        began, done = time.monotonic(), []
        since = began if since is None else since
        while (left := began + seconds - time.monotonic()) > 0 and (enough is None or len(done) < enough):
            messages = [message for message in self.consumer.poll(min(left, 0.2)) if message.error() is None]
            for message in messages:
                verdict = decide(int(message.value()))
                self.consumer.acknowledge(message, VERDICTS[verdict])
                done.append(Delivery(time.monotonic() - since, int(message.value()), message.delivery_count(), verdict))
            if messages:
                self.consumer.commit_sync(60.0)
        return done

    def close(self) -> None:
        """Leaves the group; what it still holds is free at once."""
        self.consumer.close()


def hold(cluster, group: str = "workers", topic: str = "tasks") -> Server:
    """A worker process that holds on to the first records it gets."""
    config = json.dumps(settings(cluster, group))
    command = [sys.executable, "-E", str(HOLDER), config, topic]
    server = cluster.sandbox.start(f"{group}-holder", command, stdin=subprocess.PIPE)
    server.wait_ready(lambda: "ready" in server.log_tail())
    return server


def wait_held(server: Server, records: int, timeout: float = 60.0) -> float:
    """The time.monotonic() at which a holder had so many records in its hands."""
    wait_until(lambda: len(held(server)) >= records, timeout, f"{records} records in the hands of {server.name}")
    return time.monotonic()


def held(server: Server) -> list[int]:
    """The records in a holder's hands."""
    return [int(line) for line in server.log_tail(1000).splitlines() if line.isdigit()]
