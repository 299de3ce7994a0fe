"""Redpanda 26.1: Kafka's protocol on one Raft group a partition.

Read in this order: `config` (what can be set), `cores` (thread per core), `replica` (a partition on Raft), `broker`
(requests), `transforms` (functions in the broker), `cluster` (the wiring). Raft itself is `simulator.kernel.raft`;
the producer and the consumers are those of `kafka`, unchanged.

Modelled: acks=all answered by a majority with fsync, or from memory (write caching); leader election without a
controller, pre-vote, a leader that steps down without a majority; repeated batches recognised (KIP-98); a partition
bound to one core, as a queue; WebAssembly transforms that repeat after a change of leader what they had not written
down.

Simplified: acks=1 and 0 are answered at the append, flushed as if they were acks=all; every group sends heartbeats
of its own (Redpanda joins those to one node); a broker knows at once who leads partitions of which it has no
replica; write caching flushes by time only.
Left out: transactions, groups, tiered storage and Cloud Topics, moving replicas and leaders, reading from
followers, recovery throttling.

Sources: docs.redpanda.com (architecture, configure producers, cluster properties, data transforms), as of 26.1.
"""

from ..kafka.config import Consumer, Producer
from .config import Cluster, Transform

__all__ = ["Cluster", "Consumer", "Producer", "Transform"]
