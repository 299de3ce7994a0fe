"""Apache Kafka 4.2: the log, its replication, its clients.

Read in this order: `config` (what can be set), `log` (one replica), `partition` (a leader's rules), `fetching` (both
ends of a fetch), `reconciliation` (where logs that differ are cut, and how Kafka did it before), `broker` (requests),
`decisions` (who leads), `controller` (one that never fails; `control` has those that do), `producer`, `consumer`,
`nearby` (consumers that read from followers), `tiering` (old segments), `cluster` (the wiring), `placement` and
`placed` (the same, where replicas and clients stand somewhere in particular). Rebalancing, share groups and
transactions are systems of their own, `groups`, `share` and `transactions` (`transaction_index`: how far readers of
committed records may go).

Modelled: pull replication with fetch sessions, log end offset and high watermark, leader epochs and truncation on
divergence (KIP-595, and as switches what came before it: high watermarks, KIP-101, KIP-279, KIP-320), in-sync replicas
that shrink and grow (AlterPartition, KIP-497), eligible leader replicas (KIP-966), clean and unclean election, acks
0/1/all with min.insync.replicas, batching by linger and size, requests in flight, retries with back-off, idempotence
(KIP-98, KIP-360), page cache and power loss, fencing after the broker session timeout, bytes between zones, fetch from
follower (KIP-392), tiered storage and retention (KIP-405, see `tiering`).

Simplified: unless `control` is set, the controller is one node that does not fail; fetches carry only what changed;
without `tiering` the log is not cut into segments and kept for ever; a consumer group shares its partitions out once. A
client that talks to a crashed process learns of it at once, one that talks to a machine without power learns nothing
until a timeout.

Left out so far: request CPU time and quotas, compaction, compression.
"""

from . import groups, share, transactions
from .config import Cluster, Consumer, Producer
from .control import KRaft, ZooKeeper
from .groups import Group
from .placement import Placement
from .share import ShareGroup
from .tiering import Tiering
from .transactions import Pipeline, Transactions

__all__ = ["Cluster", "Consumer", "Group", "KRaft", "Pipeline", "Placement", "Producer", "ShareGroup", "Tiering",
           "Transactions", "ZooKeeper", "groups", "share", "transactions"]
