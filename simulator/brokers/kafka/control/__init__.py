"""Kafka's control plane: who decides, and who decides when the decider is gone.

    config     what can be chosen: `KRaft(...)` or `ZooKeeper(...)`, given to a cluster as `control`
    metadata   the records of the metadata log, and what one knows who has read it
    active     the active controller: heartbeats, fencing, elections, changes of the in-sync sets
    quorum     KRaft: voters and observers of the metadata log, and how brokers find the active controller
    zookeeper  before 4.0: a broker elected through ZooKeeper, which then reads everything
    failover   how long either is away, by the number of partitions

Without `control` a cluster has the single controller of `kafka.controller`, which never fails.

Sources: KIP-500, KIP-595 and KIP-630 (metadata log), KIP-631 (registration, heartbeats, fencing), KIP-497 and KIP-903
(AlterPartition and broker epochs), KIP-966 (eligible leader replicas); in Apache Kafka QuorumController,
ClusterControlManager, BrokerHeartbeatManager, BrokerLifecycleManager, and Partition.handleAlterPartitionError.

Simplified: a batch of records is one entry of the log, so it is applied whole; a partition change carries the whole
state; the log is read from its beginning (Kafka writes snapshots); a broker asks again after fixed pauses; an idle log
gets no NoOpRecord, idle fetches wait 0.5 s instead, which is as often. A broker obeys the log once it has seen its own
registration there, as Kafka's does. Left out: changes of the voters (KIP-853), topics that come and go, controlled
shutdown, several log directories.
"""

from .config import KRaft, ZooKeeper

__all__ = ["KRaft", "ZooKeeper"]
