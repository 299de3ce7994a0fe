"""Transactions: KIP-98 and what became of it, on the brokers, logs and replication of this package's cluster.

Read in this order: `state` (one transactional id), `coordinator` (its log, markers, recovery), `broker` (a partition's
leader), `client` (a producer's side), then the applications `producer` and `worker`, and `group` (offsets,
generations), `system` (the wiring), `calls`. How far readers get is in `kafka.transaction_index`.

Modelled: InitProducerId, AddPartitionsToTxn (version 1), AddPartitionsToTxn by the partition's leader (version 2,
KIP-890), verification (KIP-890, part 1), EndTxn, markers that occupy offsets, last stable offset, aborted transactions,
epochs and fencing (KIP-360, KIP-588), offsets inside transactions and generations (KIP-447), coordinators that fail and
recover from replicated logs, transaction timeouts, KIP-1228.

Simplified: both internal topics have one partition; clients learn of a new leader at once; a transaction sends one
batch a partition at a time; a group's new generation begins without a barrier. Left out: epoch exhaustion, two-phase
commit with other systems (KIP-939), expiry of transactional ids.
"""

from .config import Pipeline, Transactions

__all__ = ["Pipeline", "Transactions"]
