"""The errors of the transaction protocol, and what a client makes of them: try again, abort, or stop."""

from __future__ import annotations

CONCURRENT_TRANSACTIONS = "CONCURRENT_TRANSACTIONS"            # the last transaction is still being completed
COORDINATOR_NOT_AVAILABLE = "COORDINATOR_NOT_AVAILABLE"        # its log has too few in-sync replicas
ILLEGAL_GENERATION = "ILLEGAL_GENERATION"                      # the group has gone on without this member
INVALID_PRODUCER_EPOCH = "INVALID_PRODUCER_EPOCH"              # a partition's leader has seen a newer epoch
INVALID_PRODUCER_ID_MAPPING = "INVALID_PRODUCER_ID_MAPPING"    # the transactional id belongs to another producer id
INVALID_TXN_STATE = "INVALID_TXN_STATE"                        # no such transaction is open
NETWORK_EXCEPTION = "NETWORK_EXCEPTION"
NOT_COORDINATOR = "NOT_COORDINATOR"                            # also for NOT_LEADER_OR_FOLLOWER: ask another broker
PRODUCER_FENCED = "PRODUCER_FENCED"                            # the coordinator has seen a newer epoch
REQUEST_TIMED_OUT = "REQUEST_TIMED_OUT"
TRANSACTION_COORDINATOR_FENCED = "TRANSACTION_COORDINATOR_FENCED"  # a marker of a coordinator that has been replaced
UNSTABLE_OFFSET_COMMIT = "UNSTABLE_OFFSET_COMMIT"              # offsets of an open transaction are pending (KIP-447)

RETRIABLE = {CONCURRENT_TRANSACTIONS, COORDINATOR_NOT_AVAILABLE, NETWORK_EXCEPTION, NOT_COORDINATOR, REQUEST_TIMED_OUT,
             UNSTABLE_OFFSET_COMMIT, "NOT_LEADER_OR_FOLLOWER", "NOT_ENOUGH_REPLICAS",
             "NOT_ENOUGH_REPLICAS_AFTER_APPEND"}
FENCING = {PRODUCER_FENCED, INVALID_PRODUCER_EPOCH, INVALID_PRODUCER_ID_MAPPING}
