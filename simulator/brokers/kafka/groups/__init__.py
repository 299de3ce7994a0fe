"""Consumer groups of Apache Kafka 4.3: who reads which partition, and what it costs to change that.

Read in this order: `config` (what can be set, and what can be planned), `assignor` (who should own what), `coordinator`
(sessions and committed offsets), `classic` (JoinGroup and SyncGroup, both ends; eager, cooperative KIP-429, static
KIP-345), `reconciliation` (ConsumerGroupHeartbeat, both ends; KIP-848), `member` (poll, work, commit), `plan` and
`system` (the wiring), `measures` (what a rebalance cost).

Modelled: Empty, PreparingRebalance, CompletingRebalance, Stable and the generation; the JoinGroup barrier with its
initial delay and its timeout; assignment by the group's leader; revoking everything or only what moves, then a second
round; static members that return within the session timeout; group epoch, target assignment and member epoch,
partitions handed out only after their last owner has reported that it gave them up; sessions, max.poll.interval,
leaving; commits that are refused for an old generation or epoch.

Simplified: a partition is a counter that grows evenly by workload.rate / partitions; fetching takes no time and meets
no broker. Members choose their own member ids (KIP-394 has the coordinator do it), every heartbeat of KIP-848 is in
full, and an empty poll looks again after `poll_timeout` instead of being woken by the next record. The coordinator is
one node; after a crash it still knows the group, as it would from __consumer_offsets, but not whom it owed an answer.

Left out: several topics, different subscriptions, regular expressions, rack-aware assignment, moving a group between
protocols.
"""

from .config import Event, Group, join, rolling_restart, stall, stop
from .measures import (duplicates, owners_at_once, ownership, paused_partition_seconds, rebalances, redeliveries,
                       time_to_stable)

__all__ = ["Event", "Group", "duplicates", "join", "owners_at_once", "ownership", "paused_partition_seconds",
           "rebalances", "redeliveries", "rolling_restart", "stall", "stop", "time_to_stable"]
