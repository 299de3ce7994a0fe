"""What members of a group say to each other, and the kinds of events they leave in a trace."""

from __future__ import annotations

from typing import NamedTuple

from .log import Entry

OVERHEAD = 100  # bytes of a message besides its entries
NO_OP_BYTES = 50


class VoteRequest(NamedTuple):
    """A candidate asks for a vote, or (pre) whether it would get it; its term is raised in the first case only."""
    candidate: str
    term: int
    last_term: int
    end_offset: int
    pre: bool


class Vote(NamedTuple):
    """The answer to a vote request."""
    voter: str
    term: int
    granted: bool
    pre: bool


class AppendEntries(NamedTuple):
    """Push: entries from `offset` on, for logs whose entry before it is of `previous_term`; none make a heartbeat."""
    leader: str
    term: int
    offset: int
    previous_term: int
    entries: list[Entry]
    high_watermark: int


class Appended(NamedTuple):
    """Push: the follower's log equals the leader's up to `offset`; or not, and `diverging` says what it has."""
    follower: str
    term: int
    offset: int
    diverging: tuple[int, int] | None = None


class BeginEpoch(NamedTuple):
    """Pull: a leader makes itself known (KIP-595 BeginQuorumEpoch)."""
    leader: str
    term: int


class Fetch(NamedTuple):
    """Pull: a replica asks for what follows its log; `attempt` tells its answers apart."""
    replica: str
    term: int
    end_offset: int
    last_term: int
    high_watermark: int
    attempt: int


class Fetched(NamedTuple):
    """Pull: entries, or where the replica's log leaves the leader's (`diverging`), or (`refused`) who leads instead."""
    leader: str | None
    term: int
    attempt: int
    refused: bool = False
    offset: int = 0
    entries: tuple[Entry, ...] | list[Entry] = ()
    high_watermark: int = 0
    diverging: tuple[int, int] | None = None


SENTENCES = {
    # messages
    "pre_vote_request": ("send", "{node} asks {peer} whether it would vote for it to lead {key}"),
    "vote_request": ("send", "{node} asks {peer} to vote for it in epoch {epoch} of {key}; its log ends at {offset}"),
    "vote": ("send", "{node} gives {peer} its vote in epoch {epoch} of {key}"),
    "vote_refused": ("send", "{node} refuses {peer} its vote; it is in epoch {epoch} of {key}"),
    "append_entries": ("send", "{node} sends {peer} {records} of {key} from offset {offset} on"),
    "leader_heartbeat": ("send", "{node} tells {peer} that it leads {key} in epoch {epoch}"),
    "appended": ("send", "{node} tells {peer} that their logs of {key} agree up to offset {offset}"),
    "append_refused": ("send", "{node} refuses what {peer} sent for offset {offset} of {key}; it is in epoch {epoch}"),
    "begin_epoch": ("send", "{node} tells {peer} that it leads {key} in epoch {epoch}"),
    "fetch_entries": ("send", "{node} asks {peer} for {key} from offset {offset} on"),
    "entries": ("send", "{node} answers {peer} with {records} of {key}"),
    "diverging": ("send", "{node} tells {peer} that its log of {key} leaves the leader's at or before offset {offset}"),
    "not_leader": ("send", "{node} tells {peer} that it does not lead {key} in epoch {epoch}"),
    # what happens at a member
    "append": ("local", "{node} appends {offsets} of {key} in epoch {epoch}"),
    "replicate": ("local", "{node} copies {offsets} of {key}"),
    "high_watermark": ("local", "{node} moves the high watermark of {key} to {offset}"),
    "prospective": ("state", "{node} hears no leader of {key} and asks whether it would win an election"),
    "candidate": ("state", "{node} stands for leader of {key} in epoch {epoch}"),
    "elected": ("state", "{node} becomes leader of {key} in epoch {epoch}; its log ends at {offset}{note}"),
    "step_down": ("state", "{node} no longer leads {key}: {note}"),
    "truncate": ("state", "{node} cuts its log of {key} back to offset {offset} and so removes {records}"),
    "lost_unflushed": ("state", "{node} has lost {records} of {key} that were never flushed; its log ends at {offset}"),
}
