"""What is done to a real Kafka in the lab kafka-kraft, and what is counted afterwards.

Three producers, one for each `acks`, write to topics of their own that one broker leads and two follow. The fault is
a stall of the followers, as in a long garbage collection, at whose end the leader dies: what it alone has is gone.
"""

from __future__ import annotations

import time
from contextlib import ExitStack

from simulator.evidence.checks import check
from simulator.evidence.history import History
from simulator.evidence.policy import ISOLATIONS

from .recorders.kafka import KafkaRecorder, Recording, read_all
from .recorders.kafka_group import Group
from .servers.kafka import KafkaCluster

ACKS = (0, 1, "all")
ON_TIME = 0.25  # seconds that a producer may be behind
LOSSES = ("lost write", "unseen", "vanished")


def lost(history: History) -> int:
    """Acknowledged records that the final reader did not find."""
    found = check(history).verdicts
    return sum(found[kind].records for kind in LOSSES)


class Trio:
    """A recorder for each `acks`, all at `rate` records a second, on one partition each that the same broker leads."""

    def __init__(self, cluster: KafkaCluster, name: str, rate: float = 200.0, leader: str = "broker-1"):
        self.cluster, self.recorders = cluster, {}
        for acks in ACKS:
            topic = f"{name}-{acks}"
            cluster.create_topic(topic, leader=leader, min_insync_replicas=2)
            self.recorders[acks] = KafkaRecorder(cluster.bootstrap, topic, rate, acks=acks)

    def start(self) -> Trio:
        """Sets all of them going and waits a while for what fell due before they were connected."""
        for recorder in self.recorders.values():
            recorder.start()
        self.wait_for_recovery()
        deadline = time.monotonic() + 60
        while max(recorder.behind for recorder in self.recorders.values()) > ON_TIME and time.monotonic() < deadline:
            self.run_for(0.05)
        return self

    def run_for(self, seconds: float) -> None:
        """Lets them work for a while."""
        time.sleep(seconds)
        for recorder in self.recorders.values():
            recorder.run_for(0)

    def wait_for_recovery(self, timeout: float = 60.0) -> float:
        """Seconds until all three are acknowledged again; by a socket, in the case of acks=0."""
        return max(recorder.wait_for_recovery(timeout) for recorder in self.recorders.values())

    def leader(self) -> str:
        """The broker that leads the topic of acks=all."""
        return self.cluster.leader(self.recorders["all"].topic)

    def wait_in_sync(self) -> None:
        """Waits until every topic has its three replicas in sync."""
        for recorder in self.recorders.values():
            self.cluster.wait_in_sync(recorder.topic, 3)

    def finish(self) -> dict:
        """The history of each, read to its end and closed."""
        with ExitStack() as ends:
            for recorder in self.recorders.values():
                ends.callback(recorder.stop)
            return {acks: recorder.finish() for acks, recorder in self.recorders.items()}


def stall_and_kill(cluster: KafkaCluster, leader: str, stall: float = 2.0) -> None:
    """The followers stand still for a while, the leader is killed, the followers go on."""
    followers = [name for name in cluster.brokers if name != leader]
    cluster.pause(*followers)
    time.sleep(stall)
    cluster.kill(leader)
    cluster.resume(*followers)


def read_both_ways(bootstrap: str, topic: str) -> dict[str, int]:
    """How many records a reader is given from the beginning to what it takes for the end, under both isolations."""
    counts = {}
    for isolation in ISOLATIONS:
        history = read_all(Recording(bootstrap, topic), isolation)
        counts[isolation] = int(history.polls.rows["count"].sum())
    return counts


def group_times(recording: Recording, protocol: str) -> dict[str, float]:
    """Seconds that a group needs for a first member, for a second, and to notice that one has died."""
    with Group(recording, f"group-{protocol}", protocol, session_timeout=6.0) as group:
        first = group.join("consumer-1")
        times = {"the first member has everything": group.wait_owned()}
        began, second = time.monotonic(), group.join("consumer-2")
        second.wait_for("assigned")
        group.wait_owned()
        times["a second one has its half"] = time.monotonic() - began
        second.kill()
        times["the first has everything again"] = group.wait_owned()
        first.stop()
    return times
