"""What must be true of a group after every event, whatever has happened: seven sentences, each a function.

The first five are those that Kafka checks in its own simulation (RaftEventSimulationTest), the other two are from the
Raft paper (Figure 3). Some speak of the past; `Seen` remembers what they need. An invariant yields a sentence for each
way in which it is broken.

    seen = Seen()
    problems = broken(group, seen)      # after every event; [] while all is well
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .group import Group
from .log import Entry
from .member import LEADER, Member


@dataclass
class Seen:
    """What the invariants remember of a group's past."""
    terms: dict[str, int] = field(default_factory=dict)                  # member -> its term
    leaders: dict[int, str] = field(default_factory=dict)                # term -> who led it
    high_watermark: int = 0                                              # the highest that a leader has announced
    committed: list[Entry] = field(default_factory=list)                 # all that anybody knew to be committed
    known: dict[str, int] = field(default_factory=dict)                  # member -> how much of that it agreed with
    entries: dict[tuple[int, int], tuple] = field(default_factory=dict)  # (offset, term) -> entry, the term before it
    ends: dict[str, tuple[int, int]] = field(default_factory=dict)       # member -> how its log ended


def monotonic_epoch(group: Group, seen: Seen) -> Iterator[str]:
    """MonotonicEpoch: a member's term never goes back, not even through a crash."""
    for name, member in group.members.items():
        if member.term < seen.terms.get(name, 0):
            yield f"MonotonicEpoch: {name} went back from term {seen.terms[name]} to term {member.term}"
        seen.terms[name] = member.term


def single_leader(group: Group, seen: Seen) -> Iterator[str]:
    """SingleLeader: a term has one leader at most."""
    for member in leaders(group):
        first = seen.leaders.setdefault(member.term, member.name)
        if first != member.name:
            yield f"SingleLeader: both {first} and {member.name} were elected in term {member.term}"


def majority_reached_high_watermark(group: Group, seen: Seen) -> Iterator[str]:
    """MajorityReachedHighWatermark: the logs of a majority of the voters reach up to the leader's high watermark."""
    leader = latest_leader(group, seen)
    if leader:
        holding = [member.name for member in group.voters if member.log.end_offset >= leader.high_watermark]
        if len(holding) < group.majority:
            yield (f"MajorityReachedHighWatermark: {leader.name} says that all before offset {leader.high_watermark} "
                   f"is committed, but only {', '.join(holding) or 'nobody'} has it")


def monotonic_high_watermark(group: Group, seen: Seen) -> Iterator[str]:
    """MonotonicHighWatermark: what leaders announce as committed never shrinks."""
    leader = latest_leader(group, seen)
    if leader and announced(leader):
        if leader.high_watermark < seen.high_watermark:
            yield f"MonotonicHighWatermark: it was {seen.high_watermark}, {leader.name} says {leader.high_watermark}"
        seen.high_watermark = leader.high_watermark


def consistent_committed_data(group: Group, seen: Seen) -> Iterator[str]:
    """ConsistentCommittedData: whatever two members ever knew to be committed at one offset is the same entry."""
    for name, member in group.members.items():
        known = min(seen.known.get(name, 0), member.high_watermark)  # a restarted member learns again what is committed
        for offset in range(known, member.high_watermark):
            entry = member.log.entries[offset] if offset < member.log.end_offset else None
            if offset == len(seen.committed):
                seen.committed.append(entry)
            if entry is None or entry != seen.committed[offset]:
                yield (f"ConsistentCommittedData: at offset {offset} {name} has {entry}, "
                       f"but {seen.committed[offset]} was committed there")
        seen.known[name] = member.high_watermark


def leader_completeness(group: Group, seen: Seen) -> Iterator[str]:
    """LeaderCompleteness: a leader's log holds all that was committed before (the last of it will do: log matching)."""
    leader, end = latest_leader(group, seen), len(seen.committed)
    if leader and end and not leader.log.holds(end, seen.committed[-1].term):
        yield f"LeaderCompleteness: {leader.name} leads term {leader.term} without all that was committed before {end}"


def log_matching(group: Group, seen: Seen) -> Iterator[str]:
    """LogMatching: entries of one term at one offset are the same entry, and so is everything before them."""
    for name, member in group.members.items():
        log = member.log
        if seen.ends.get(name) == (log.end_offset, log.last_term):
            continue
        seen.ends[name] = log.end_offset, log.last_term
        for offset, entry in enumerate(log.entries):
            here = entry, log.term_before(offset)
            first = seen.entries.setdefault((offset, entry.term), here)
            if first != here:
                yield f"LogMatching: at offset {offset} of term {entry.term} {name} has {here}, another log had {first}"


INVARIANTS = (monotonic_epoch, single_leader, majority_reached_high_watermark, monotonic_high_watermark,
              consistent_committed_data, leader_completeness, log_matching)


def broken(group: Group, seen: Seen) -> list[str]:
    """The sentences of all invariants that do not hold now."""
    return [sentence for invariant in INVARIANTS for sentence in invariant(group, seen)]


def leaders(group: Group) -> list[Member]:
    return [member for member in group.voters if member.role == LEADER]


def latest_leader(group: Group, seen: Seen) -> Member | None:
    """The leader of the highest term that ever had one; one of a lower term may not know that its time is over."""
    return next((member for member in leaders(group) if member.term >= max(seen.leaders, default=0)), None)


def announced(leader: Member) -> bool:
    """Whether it has committed an entry of its own term; before, it knows no better than a follower."""
    return leader.log.term_before(leader.high_watermark) == leader.term
