"""Raft: a group of members that agree on one log, in the form the paper has and in the form Kafka gave it.

    config      what can be chosen, with the settings of KRaft, NATS and Redpanda
    log         entries, what of them is on disk, and where two logs part
    messages    what members say to each other, and the sentences that tell it
    member      one member: elections and commit
    push        replication as in the paper: the leader sends AppendEntries
    pull        replication as in KRaft: followers fetch
    group       the members of one group, and the client's `propose`
    invariants  what must be true after every event

Names: `term` is Raft's, an epoch in Kafka and in every trace. An `offset` counts from 0 (Raft's index from 1),
`high_watermark` is the first offset that is not committed (Raft's commitIndex + 1), a member's `match` the offset up to
which its log is known to equal the leader's.

Sources: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (Figure 2, 5.4.2); Ongaro's
dissertation (6.2 check-quorum, 9.6 pre-vote); KIP-595 (pull, diverging epochs), KIP-996 (pre-vote), KIP-1166 (a fetch
is answered when the high watermark moves).

Simplified: term and vote are on disk as soon as they change, and their fsync (if `fsync`) delays what is said
afterwards; a message holds any number of entries; a leader that steps down tells nobody (KRaft's EndQuorumEpoch); a
candidate whose time is up asks again at once (Kafka's backs off first). Left out: changes of membership (joint
consensus, KIP-853), snapshots, leadership transfer, linearizable reads, linger.
"""

from .config import Config
from .group import Group
from .log import Entry, Log
from .member import Member

__all__ = ["Config", "Entry", "Group", "Log", "Member"]
