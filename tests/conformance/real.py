"""The scenarios on a real Apache Kafka, one controller and three brokers: each is played, its verdicts returned."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count

from labs.recorders.kafka import Recording, Sender, read_all
from labs.recorders.kafka_group import Group
from labs.servers import kafka
from labs.servers.process import wait_until

from .verdicts import of_group, of_log

# The defaults wait 9 s for a broker and 45 s for a member of a group under KIP-848; the verdicts are the same.
IMPATIENT = {"broker.session.timeout.ms": 5000, "broker.heartbeat.interval.ms": 500,
             "group.consumer.session.timeout.ms": 2000, "group.consumer.heartbeat.interval.ms": 500}
FETCH_WAIT = 0.8  # seconds after which the fetches that a paused follower had left with the leader are answered
NUMBERS = count(1)
ATTEMPTS = 5


def undisturbed(play: Callable[[], frozenset[str]], told: Callable[[frozenset[str]], bool]) -> frozenset[str]:
    """What a scenario found; played again, on a new topic, while the machine came in between and it did not happen."""
    for _ in range(ATTEMPTS):
        if told(found := play()):
            break
    return found


def broker() -> kafka.KafkaCluster:
    """Four processes on this machine; a context manager."""
    return kafka.cluster(controllers=1, brokers=3, settings=IMPATIENT, quiet=True)


def acks_1_leader_crash(cluster) -> frozenset[str]:
    # A leader that is not scheduled for a second answers the sleeping followers' fetches later, and with the records.
    return undisturbed(lambda: _leader_crash(cluster, acks=1), lambda found: "lost" in found)


def acks_all_leader_crash(cluster) -> frozenset[str]:
    return _leader_crash(cluster, acks="all")


def idempotent_retry(cluster) -> frozenset[str]:
    return _retry(cluster, idempotence=True)


def non_idempotent_retry(cluster) -> frozenset[str]:
    # A producer that is not scheduled for two seconds may see the answer before it sees that it is late.
    return undisturbed(lambda: _retry(cluster, idempotence=False), lambda found: "duplicated" in found)


def zombie_transactional_producer(cluster) -> frozenset[str]:
    recording = _recording(cluster)
    zombie = Sender(recording, "producer-1", transactional_id=recording.topic)
    zombie.begin()
    zombie.send(20)
    zombie.flush()
    successor = Sender(recording, "producer-1b", transactional_id=recording.topic)
    zombie.send(20)
    zombie.commit()
    successor.begin()
    successor.send(20)
    successor.commit()
    return of_log(read_all(recording), fenced=zombie.fenced)


def commit_after_rebalance_classic(cluster) -> frozenset[str]:
    return _away(cluster, "classic")


def commit_after_rebalance_consumer(cluster) -> frozenset[str]:
    return _away(cluster, "consumer")


def consumer_killed_mid_batch_classic(cluster) -> frozenset[str]:
    return _killed(cluster, "classic")


def consumer_killed_mid_batch_consumer(cluster) -> frozenset[str]:
    return _killed(cluster, "consumer")


def _recording(cluster, partitions: int = 1) -> Recording:
    topic = f"orders{next(NUMBERS)}"
    cluster.create_topic(topic, partitions, replication=3, min_insync_replicas=2)
    return Recording(cluster.bootstrap, topic)


def _leader_crash(cluster, acks) -> frozenset[str]:
    recording = _recording(cluster)
    leader = cluster.leader(recording.topic)
    followers = [name for name in cluster.brokers if name != leader]
    sender = Sender(recording, acks=acks)
    sender.send(20)
    sender.flush()
    cluster.wait_in_sync(recording.topic, 3)
    cluster.pause(*followers)
    time.sleep(FETCH_WAIT)
    sender.send(20)
    sender.flush(1 if acks == "all" else 120)  # under acks=all in vain
    cluster.kill(leader)
    cluster.resume(*followers)
    wait_until(lambda: cluster.leader(recording.topic) != leader, 120, "another leader")
    sender.flush()
    cluster.restart(leader)
    cluster.wait_in_sync(recording.topic, 3)
    return of_log(read_all(recording))


def _retry(cluster, idempotence: bool) -> frozenset[str]:
    recording = _recording(cluster)
    sender = Sender(recording, idempotence=idempotence, socket_timeout_ms=1000, retry_backoff_ms=100)
    sender.send(20)
    sender.flush()
    leader = cluster.leader(recording.topic)
    cluster.pause(leader)
    sender.send(20)
    sender.flush(2)  # two requests or more have been given up by now
    cluster.resume(leader)
    sender.flush()
    return of_log(read_all(recording))


def _away(cluster, protocol: str) -> frozenset[str]:
    """Again, if the heartbeat of the one away was faster than its commit: it was a member when it committed."""
    return undisturbed(lambda: _away_once(cluster, protocol), lambda found: "fenced" in found)


def _away_once(cluster, protocol: str) -> frozenset[str]:
    recording = _filled(cluster)
    with Group(recording, recording.topic, protocol, session_timeout=2.0, work=0.05) as group:
        away = group.join("consumer-1")
        away.wait_for("polled")
        away.pause()  # a batch takes a second, so it has not been committed
        heir = group.join("consumer-2")
        wait_until(lambda: len(heir.owned) == recording.partitions, 120, "the partitions to move")
        heir.wait_for("committed")
        away.resume()
        away.wait_for_verdict(0)
        group.wait_read()
        return of_group(read_all(recording), fenced=bool(away.refusals))


def _killed(cluster, protocol: str) -> frozenset[str]:
    """Again, if the heir was kept from its heartbeat for a session, or the victim had committed all before it died."""
    return undisturbed(lambda: _killed_once(cluster, protocol), lambda found: found == {"duplicated"})


def _killed_once(cluster, protocol: str) -> frozenset[str]:
    recording = _filled(cluster)
    with Group(recording, recording.topic, protocol, session_timeout=2.0, work=0.05) as group:
        victim = group.join("consumer-1")
        victim.wait_for("polled", 2)
        victim.kill()
        heir = group.join("consumer-2")
        group.wait_read()
        return of_group(read_all(recording), fenced=bool(heir.refusals))


def _filled(cluster, records: int = 100) -> Recording:
    recording = _recording(cluster, partitions=2)
    sender = Sender(recording)
    sender.send(records)
    sender.flush()
    return recording
