"""Prints one digest a scenario, as JSON: `PYTHONPATH=. python tests/digests.py`.

Needs nothing but what `import simulator` needs. The scenarios touch everything that could differ from run to run:
batches, retries, elections, truncation, every kind of fault, work drawn from a distribution, a work queue, a
publish-subscribe server and a log on object storage.
"""
import hashlib
import json
from dataclasses import replace

from simulator import Pauses, Workload, bufstream, distributions, faults, kafka, redpanda, simulate, warpstream
from simulator.brokers.pubsub import PubSub
from simulator.brokers.workqueue import WorkQueue
from simulator.evidence.table import Names, Table
from simulator.kernel.objectstore import profile
from simulator.patterns import DualWrite, EventStore, Outbox, Projection, Saga

SMALL = Workload(rate=50, record_bytes=500, keys=50, seconds=20, consumers=2)
AT_WORK = Workload(rate=50, keys=None, seconds=20, arrivals="even", consumers=3, work=distributions.Exponential(0.01))
TROUBLE = (faults.crash("broker-1", at=4, lasts=12), faults.isolate("broker-2", at=8, lasts=11),
           faults.pause("broker-3", at=14, lasts=3), faults.slow_network("producer-1", extra=0.05, at=2, lasts=5),
           faults.crash("consumer-1", at=9, lasts=2))
SHARING = kafka.ShareGroup(partitions=2, acknowledgement_mode="explicit", acquire_mode="record_limit",
                           max_poll_records=5, renew=True, record_lock_duration=2.0,
                           odd=(kafka.share.poison(100), kafka.share.slow(200, 5.0)),
                           events=(kafka.share.stop("consumer-2", at=6, lasts=3),
                                   kafka.share.stall("consumer-1", at=8, lasts=4)))
DARKNESS = (faults.power_loss("broker-1", "broker-2", "broker-3", at=6, lasts=3),
            faults.mute("broker-2", ["controller"], at=15, lasts=12),
            faults.drop(["producer-1"], ["broker-3"], at=12, lasts=4))
DECIDERS = (faults.crash("controller-1", at=3, lasts=4), faults.pause("controller-2", at=9, lasts=6))

TIERS = kafka.Tiering(segment_bytes=5_000, retention=12.0, local_retention=2.0, task_interval=1.0,
                      retention_check_interval=1.0, chunk_bytes=2_500, store=profile("s3-standard-fleet"))

STATELESS = warpstream.Cluster(agents=4, scan_interval=3.0, orphan_age=4.0, compaction_interval=4.0,
                               request_timeout=3.0)
DISKLESS_TROUBLE = (faults.crash("agent-1", at=4.1, lasts=6), faults.pause("agent-2", at=7, lasts=8),
                    faults.crash("metadata", at=12, lasts=1), faults.crash("producer-2", at=6, lasts=1),
                    faults.crash("object-store", at=15, lasts=2))

SCENARIOS = {
    "kafka": (kafka.Cluster(), SMALL, ()),
    "kafka, records without keys, much work": (kafka.Cluster(partitions=3), AT_WORK, ()),
    "kafka in trouble": (kafka.Cluster(), SMALL, TROUBLE),
    "kafka, unsafe and unlucky": (kafka.Cluster(min_insync=1, unclean_leader_election=True,
                                                producer=kafka.Producer(acks=1)), SMALL, DARKNESS),
    "kafka, every batch flushed": (kafka.Cluster(flush_every_batch=True), SMALL, TROUBLE[:1]),
    "share group": (kafka.ShareGroup(), AT_WORK, ()),
    "share group in trouble": (SHARING, AT_WORK,
                               (faults.crash("broker-1", at=5, lasts=12),
                                faults.power_loss("consumer-3", at=15, lasts=9))),
    "one reader a partition": (kafka.share.Partitions(partitions=3), AT_WORK,
                               (faults.crash("consumer-1", at=5, lasts=3),)),
    "kafka, three controllers in trouble": (kafka.Cluster(partitions=3, control=kafka.KRaft()), SMALL,
                                            TROUBLE[:3] + DECIDERS),
    "kafka, brokers that are controllers": (kafka.Cluster(partitions=3, control=kafka.KRaft(combined=True)),
                                            SMALL, TROUBLE[:3]),
    "kafka with ZooKeeper": (kafka.Cluster(partitions=3, control=kafka.ZooKeeper(session_timeout=6.0),
                                           replication_protocol="kip-320"), SMALL, TROUBLE[:3]),
    "kafka, two tiers and racks in trouble": (kafka.Cluster(tiering=TIERS, consumer=kafka.Consumer(rack=True)), SMALL,
                                             (*TROUBLE, faults.crash("object-store", at=6, lasts=2))),
    "kafka transactions": (kafka.Transactions(transaction_version=1, producers=2, abort_every=3), SMALL, TROUBLE),
    "kafka pipeline": (kafka.Pipeline(session_timeout=3.0, transaction_timeout=5.0), SMALL,
                       (*TROUBLE[:4], faults.crash("worker-1", at=9, lasts=2))),
    "redpanda with pauses in trouble": (Pauses(redpanda.Cluster(partitions=2, request_cpu=0.0005,
                                                                transform=redpanda.Transform())), SMALL, TROUBLE),
    "redpanda, write caching and no power": (redpanda.Cluster(partitions=2, fsync=False), SMALL, DARKNESS[:1]),
    "work queue": (WorkQueue(prefetch=10), AT_WORK, ()),
    "work queue in trouble": (WorkQueue(queue_type="quorum", prefetch=5), AT_WORK,
                              (faults.crash("queue-1", at=5, lasts=3), faults.pause("worker-1", at=12, lasts=4),
                               faults.crash("worker-2", at=3, lasts=6))),
    "publish-subscribe": (PubSub(), AT_WORK, ()),
    "publish-subscribe in trouble": (PubSub(), AT_WORK,
                                     (faults.crash("server-1", at=5, lasts=3),
                                      faults.isolate("subscriber-1", at=10, lasts=4))),
    "warpstream": (warpstream.Cluster(compaction_interval=5.0), SMALL, ()),
    "warpstream in trouble": (STATELESS, SMALL, DISKLESS_TROUBLE),
    "lightning on express in trouble": (replace(STATELESS, store="s3-express", lightning=True), SMALL,
                                        DISKLESS_TROUBLE[:2]),
    "diskless as in KIP-1150, across zones": (warpstream.Cluster(diskless="kip-1150", zone_aligned=False), SMALL,
                                              (faults.crash("broker-2", at=4.1, lasts=3),)),
    "bufstream, a bad release in trouble": (bufstream.Cluster(checks=("broker",),
                                                              release=bufstream.Release(library=False)), SMALL,
                                            (faults.crash("broker-1", at=6, lasts=4),
                                             faults.pause("database", at=9, lasts=11))),
    "dual write in trouble": (DualWrite(gap=0.1, rollback=0.1), AT_WORK, (faults.crash("service-1", at=5, lasts=3),)),
    "outbox in trouble": (Outbox(transaction=distributions.Exponential(0.05), rollback=0.1), AT_WORK,
                          (faults.crash("relay-1", at=5.002, lasts=3), faults.crash("broker", at=12, lasts=2))),
    "outbox by change data capture in trouble": (Outbox(relay="cdc"), AT_WORK,
                                                 (faults.crash("relay-1", at=5.3, lasts=3),)),
    "saga in trouble": (Saga(pivot=2), AT_WORK,
                        (faults.crash("orchestrator", at=5, lasts=2), faults.pause("payment", at=9, lasts=7))),
    "projection in trouble": (Projection("after"), AT_WORK, (faults.crash("projector", at=5, lasts=2),)),
    "event store": (EventStore(writers=3, accounts=2, snapshot_every=10, fold=0.001), AT_WORK, ()),
}


def history_digest(history) -> str:
    """SHA-256 of all that clients saw, without the ids of the trace events behind it."""
    digest = hashlib.sha256(repr((history.drained, sorted(history.created))).encode())
    for name, part in sorted(vars(history).items()):
        if isinstance(part, Names):
            digest.update(repr((name, part.names)).encode())
        elif isinstance(part, Table):
            for column in part.dtype.names:
                digest.update(b"" if column == "event" else part.rows[column].tobytes())
    for times in history.created.values():
        digest.update(times.tobytes())
    return digest.hexdigest()


def scenario(name: str, seed: int = 7, trace: bool = True):
    """The run of a scenario."""
    system, workload, troubles = SCENARIOS[name]
    return simulate(system, workload, faults=troubles, seed=seed, trace=trace)


def run_digest(run) -> str:
    """One digest of a run: what clients saw, what nodes did, what it cost."""
    cost = [sorted(meter.items()) for meter in (run.meters.traffic, run.meters.counts, run.meters.integrals)]
    everything = run.trace.digest(), history_digest(run.history), cost, run.seconds
    return hashlib.sha256(repr(everything).encode()).hexdigest()


if __name__ == "__main__":
    print(json.dumps({name: run_digest(scenario(name)) for name in SCENARIOS}))
