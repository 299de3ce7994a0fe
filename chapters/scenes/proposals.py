"""Every proposal (KIP) that the Kafka chapters name: what it brought, since when, and where it stands.

As of November 2026. Sources: kafka.apache.org (upgrade notes and release announcements), the proposals' own pages on
cwiki.apache.org, and kafka-options-explorer.conduktor.io; those that matter most stand with theirs in `facts/`.
"""

from __future__ import annotations

from typing import NamedTuple


class Proposal(NamedTuple):
    """One KIP; `since` is the first release that has it, for use in production."""
    kip: int
    brought: str
    since: str
    now: str = "in force"


ALL = (
    Proposal(62, "heartbeats from a thread of their own, max.poll.interval.ms", "0.10.1"),
    Proposal(98, "idempotent producers, transactions", "0.11"),
    Proposal(101, "cutting logs by leader epoch", "0.11", "its one question replaced by KIP-279"),
    Proposal(134, "a delay before a group's first rebalance", "0.11", "for classic groups"),
    Proposal(279, "epochs compared until two logs agree", "2.0"),
    Proposal(320, "a leader epoch on every fetch", "2.1"),
    Proposal(345, "static members of groups", "2.3"),
    Proposal(392, "fetch from the nearest replica", "2.4", "off unless configured at both ends"),
    Proposal(405, "tiered storage", "3.9", "early access from 3.6; plug-ins come from others"),
    Proposal(429, "cooperative rebalancing", "2.4", "to be chosen; the classic default is eager"),
    Proposal(447, "a group's generation inside transactions", "2.5"),
    Proposal(497, "in-sync sets changed through the controller", "2.7"),
    Proposal(500, "metadata without ZooKeeper", "4.0", "the plan for those below; complete"),
    Proposal(595, "Raft for the metadata log, by fetching", "3.3", "early access from 2.8"),
    Proposal(630, "snapshots of the metadata log", "3.3", "early access from 3.0"),
    Proposal(631, "registration, heartbeats and fencing by the quorum", "3.3", "early access from 2.8"),
    Proposal(679, "acks=all and idempotence by default", "3.0"),
    Proposal(735, "session timeout of 45 s by default", "3.0"),
    Proposal(833, "KRaft declared ready for production", "3.3"),
    Proposal(848, "groups led by the coordinator", "4.0", "on at brokers; clients ask for it"),
    Proposal(853, "controllers added and removed", "3.9"),
    Proposal(866, "migration from ZooKeeper", "3.6", "early access from 3.4; gone with ZooKeeper in 4.0"),
    Proposal(890, "transactions v2: a new epoch after each", "4.0", "partitions verified since 3.6"),
    Proposal(903, "the broker's life named when it joins the in-sync set", "3.5"),
    Proposal(932, "share groups", "4.2", "early access in 4.0, preview in 4.1"),
    Proposal(950, "tiering switched off for a topic", "3.9"),
    Proposal(966, "eligible leader replicas", "4.0", "for new clusters by default since 4.1; no unclean recovery yet"),
    Proposal(996, "pre-vote", "4.0"),
    Proposal(1030, "new defaults, such as linger.ms=5", "4.0"),
    Proposal(1102, "clients that bootstrap again", "4.0", "not transactions v2"),
    Proposal(1150, "diskless topics", "none", "accepted as a direction (March 2026); chapter 05"),
    Proposal(1186, "a better request for adding controllers", "4.2"),
    Proposal(1191, "dead letter topics for share groups", "4.4"),
    Proposal(1206, "strict limit on a share fetch", "4.2"),
    Proposal(1222, "renewal of a record's lock", "4.2", "off by default in later releases"),
    Proposal(1228, "markers checked by transaction version", "4.2"),
    Proposal(1251, "late commits checked partition by partition", "4.3"),
    Proposal(1263, "assignments computed at intervals", "4.3"),
    Proposal(1272, "tiered storage for compacted topics", "none", "under discussion"),
    Proposal(1274, "farewell to the classic protocol", "4.3", "a hint in the log; the default changes with 5.0"),
)


def proposals():
    """All of them as a table (pandas), by number."""
    import pandas as pd
    left = [{"selector": "th, td", "props": "text-align: left"}]
    table = pd.DataFrame(ALL).rename(columns={"kip": "KIP"}).style.hide()
    return table.set_table_styles(left).set_uuid("proposals")
