"""The scenarios on the models: each function plays one and returns its verdicts."""

from __future__ import annotations

from simulator import Workload, faults, kafka, simulate

from .verdicts import of_group, of_log

SEED = 7
LEADER, FOLLOWERS = "broker-1", ("broker-2", "broker-3")


def acks_1_leader_crash() -> frozenset[str]:
    return _leader_crash(acks=1)


def acks_all_leader_crash() -> frozenset[str]:
    return _leader_crash(acks="all")


def idempotent_retry() -> frozenset[str]:
    return _retry(idempotence=True)


def non_idempotent_retry() -> frozenset[str]:
    return _retry(idempotence=False)


def zombie_transactional_producer() -> frozenset[str]:
    system = kafka.Transactions(cluster=_cluster(), commit_interval=0.5, replace_at=2.25)
    run = simulate(system, _workload(seconds=5), seed=SEED)
    return of_log(run.history, fenced=bool(len(run.trace.where("fenced_producer"))))


def commit_after_rebalance_classic() -> frozenset[str]:
    return _away("cooperative")


def commit_after_rebalance_consumer() -> frozenset[str]:
    return _away("consumer")


def consumer_killed_mid_batch_classic() -> frozenset[str]:
    return _killed("cooperative")


def consumer_killed_mid_batch_consumer() -> frozenset[str]:
    return _killed("consumer")


def _workload(**changes) -> Workload:
    return Workload(**{"rate": 100, "record_bytes": 100, "seconds": 20} | changes)


def _cluster(**producer) -> kafka.Cluster:
    return kafka.Cluster(brokers=3, partitions=1, replication=3, min_insync=2, producer=kafka.Producer(**producer))


def _leader_crash(acks) -> frozenset[str]:
    pauses = [faults.pause(follower, at=2, lasts=2.5) for follower in FOLLOWERS]
    return of_log(simulate(_cluster(acks=acks), _workload(), seed=SEED,
                           faults=[*pauses, faults.crash(LEADER, at=4, lasts=12)]).history)


def _retry(idempotence: bool) -> frozenset[str]:
    patience = {"request_timeout": 1.0, "delivery_timeout": 60.0}
    return of_log(simulate(_cluster(idempotence=idempotence, **patience), _workload(seconds=10), seed=SEED,
                           faults=[faults.pause(LEADER, at=2, lasts=2.5)]).history)


def _away(protocol: str) -> frozenset[str]:
    return _group(protocol, faults.pause("consumer-1", at=7, lasts=12))


def _killed(protocol: str) -> frozenset[str]:
    return _group(protocol, faults.crash("consumer-1", at=7))


def _group(protocol: str, fault: faults.Fault) -> frozenset[str]:
    group = kafka.Group(partitions=2, protocol=protocol, session_timeout=6, heartbeat_interval=1.5)
    run = simulate(group, _workload(seconds=40, consumers=2, work=0.01), faults=[fault], seed=SEED)
    return of_group(run.history, fenced=bool(len(run.trace.where("refused"))))
