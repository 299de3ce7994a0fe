"""What can be chosen about a Raft group, checked, and what KRaft, NATS and Redpanda chose."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from ..distributions import Distribution, Uniform, as_distribution, check, is_number


@dataclass(frozen=True)
class Config:
    """Settings of every member of a group; seconds. The defaults are those of the Raft paper (9.3), in the push form.

    form: `push` (the leader sends entries) or `pull` (followers fetch them).
    election_timeout: how long a member without a leader waits before it stands, and a candidate before it tries again;
        drawn anew each time.
    fetch_timeout: how long a follower that heard from its leader waits for the next word; None is an election timeout.
    heartbeat: push: the leader sends something at least this often. pull: it calls on voters silent for that long.
    fetch_wait: pull: a fetch that finds nothing new is answered after this time at the latest.
    election_backoff_max: an election lost is followed by a random pause, doubling up to this; 0: by the rest of the
        election timeout.
    check_quorum: a leader that has not heard from a majority for that long steps down; inf: never.
    pre_vote: a member asks first whether it would win, and raises the term only then.
    fsync: what was written is flushed before it counts or is answered; without it a power loss may undo a promise.
    """
    form: str = "push"
    election_timeout: Distribution | float = field(default_factory=lambda: Uniform(0.15, 0.3))
    fetch_timeout: Distribution | float | None = None
    heartbeat: float = 0.05
    fetch_wait: float = 0.5
    election_backoff_max: float = 0.0
    check_quorum: float = inf
    pre_vote: bool = False
    fsync: bool = True

    def __post_init__(self):
        check("form", self.form, self.form in ("push", "pull"), "push or pull")
        object.__setattr__(self, "election_timeout", as_distribution("election_timeout", self.election_timeout))
        patience = self.election_timeout if self.fetch_timeout is None else self.fetch_timeout
        object.__setattr__(self, "fetch_timeout", as_distribution("fetch_timeout", patience))
        for name in ("election_timeout", "fetch_timeout"):
            check(name, getattr(self, name), least(getattr(self, name)) > 0, "greater than 0 seconds, always")
        for name in ("heartbeat", "fetch_wait") if self.form == "pull" else ("heartbeat",):
            value = getattr(self, name)
            check(name, value, is_number(value) and 0 < value < self.patience,
                  f"greater than 0 and below the shortest time a follower waits, {self.patience:g} seconds")
        backoff, quorum = self.election_backoff_max, self.check_quorum
        check("election_backoff_max", backoff, is_number(backoff) and backoff >= 0, "at least 0 seconds")
        check("check_quorum", quorum, is_number(quorum, finite=False) and quorum > self.heartbeat,
              f"longer than a heartbeat, {self.heartbeat:g} seconds")
        for name in ("pre_vote", "fsync"):
            check(name, getattr(self, name), isinstance(getattr(self, name), bool), "True or False")

    @property
    def patience(self) -> float:
        """The shortest time a follower waits; one that heard from its leader less than this ago grants no pre-vote."""
        return least(self.fetch_timeout)

    @classmethod
    def kraft(cls, **changes) -> Config:
        """Kafka 4.2, `controller.quorum.*`: `fetch.timeout.ms` 2000, `election.timeout.ms` and `.backoff.max.ms` 1000.

        An election timeout is drawn from once to twice that (QuorumState.randomElectionTimeoutMs). A leader resigns
        after 1.5 fetch timeouts without a majority (LeaderState.CHECK_QUORUM_TIMEOUT_FACTOR), and calls on silent
        voters every half fetch timeout (LeaderState.beginQuorumEpochTimeoutMs); an empty fetch waits 0.5 s
        (KafkaRaftClient.MAX_FETCH_WAIT_MS). Checked against trunk of October 2024; KIP-595, KIP-996.
        """
        kafka = dict(form="pull", election_timeout=Uniform(1.0, 2.0), fetch_timeout=2.0, heartbeat=1.0, fetch_wait=0.5,
                     election_backoff_max=1.0, check_quorum=3.0, pre_vote=True, fsync=True)
        return cls(**{**kafka, **changes})

    @classmethod
    def nats(cls, **changes) -> Config:
        """NATS JetStream 2.x: election timeout 4 to 9 s, heartbeat 1 s, quorum lost after 10 s (server/raft.go).

        No pre-vote; the log is not flushed before a commit: `sync_interval` is 2 min, `DiskProfile(writeback=120)`.
        """
        nats = dict(election_timeout=Uniform(4.0, 9.0), heartbeat=1.0, check_quorum=10.0, fsync=False)
        return cls(**{**nats, **changes})

    @classmethod
    def redpanda(cls, **changes) -> Config:
        """Redpanda: `raft_heartbeat_interval_ms` 150, `election_timeout_ms` 1500 and 150 to 300 ms of jitter; fsync.

        Pre-vote, and a leader that steps down after an election timeout without a majority. Sources: its documentation
        (architecture, cluster properties), raft/consensus.cc and raft/vote_stm.cc.
        """
        redpanda = dict(election_timeout=Uniform(1.65, 1.8), heartbeat=0.15, check_quorum=1.5,
                        pre_vote=True, fsync=True)
        return cls(**{**redpanda, **changes})


def least(distribution: Distribution) -> float:
    """The shortest duration a distribution gives."""
    return float(distribution.quantile(0.0))
