"""One member of a group: its state, then its rules, each a guard and an effect.

The rules are those of the Raft paper's Figure 2; how entries get from the leader to the others is in `push` and `pull`.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from ..disk import Disk
from ..distributions import Uniform
from .log import Entry, Log
from .messages import NO_OP_BYTES, OVERHEAD, Vote, VoteRequest
from .pull import Pull
from .push import Push

if TYPE_CHECKING:
    from ..node import Node
    from .group import Group

FOLLOWER, PROSPECTIVE, CANDIDATE, LEADER, OBSERVER = "follower", "prospective", "candidate", "leader", "observer"
BACKOFF = 0.1  # seconds, the unit of an election's back-off (KafkaRaftClient.RETRY_BACKOFF_BASE_MS); an observer's, too


class Member:
    """A voter, or an observer: a member that copies the log and has no vote."""

    def __init__(self, group: Group, node: Node, voter: bool, disk: Disk):
        self.group, self.node, self.voter, self.disk = group, node, voter, disk
        self.name, self.world, self.config = node.name, node.world, group.config
        draw = lambda what, distribution: node.world.sampler(f"raft/{group.name}/{node.name}/{what}", distribution)
        self.election_timeout = draw("election_timeout", self.config.election_timeout)
        self.fetch_timeout = draw("fetch_timeout", self.config.fetch_timeout)
        self.luck = draw("backoff", Uniform(0.0, 1.0))
        # on disk
        self.term = 0
        self.voted_for: str | None = None
        self.log = Log()
        self.forget()
        _also(node, "on_start", self.start)
        _also(node, "on_crash", self.stop)
        _also(node, "on_disconnect", self.on_disconnect)

    def forget(self) -> None:
        """Everything that a process keeps in memory, as it is when the process starts."""
        self.role = FOLLOWER if self.voter else OBSERVER
        self.leader: str | None = None
        self.heard = -inf                      # when the leader was last heard
        self.high_watermark = 0
        self.applied = 0
        self.timer, self.deadline = None, inf
        self.votes: dict[str, bool] = {}       # of a prospective or a candidate
        self.elections_lost = 0
        self.match: dict[str, int] = {}        # of a leader: up to where each other log is known to equal its own
        self.contact: dict[str, float] = {}    # of a leader: when each other member last answered
        self.pending: dict[int, object] = {}   # of a leader: offset -> whom to call when it is committed
        self._waiting: list[tuple] = []        # effects that wait for the next fsync
        self._flushing = False
        self._saved = self.term, self.voted_for
        self.replication = (Push if self.config.form == "push" else Pull)(self)

    # The process starts and ends

    def start(self) -> None:
        """Reads term, vote and log from disk, and waits for a leader."""
        self.wait(self.election_timeout())

    def stop(self, power_lost: bool) -> None:
        """The process is gone; if the power is, so is what was never flushed."""
        self.forget()
        lost = self.log.lose_unflushed(self.disk.written_before(self.world.now)) if power_lost else []
        if lost:
            self.note("lost_unflushed", self.node.fault, self.log.end_offset, len(lost), lost[0].term, code(lost[0]))

    def begin_with(self, entry: Entry) -> None:
        """A log that is not empty on the first day."""
        self.term = entry.term
        self.log.append([entry], self.world.now)
        self.log.flushed = self.log.flushing = self.log.end_offset
        self._saved = self.term, self.voted_for

    # Time

    def wait(self, seconds: float) -> None:
        """Sets the one timer of a member anew."""
        if self.timer is not None:
            self.timer.cancel()
        self.deadline = self.world.now + seconds
        self.timer = self.node.after(seconds, self.on_timeout) if seconds < inf else None

    def on_timeout(self) -> None:
        """Nobody leads, nobody won, or (a leader) it is time to count who is still there."""
        if self.world.now < self.deadline:  # set anew after a pause had let it fall due
            return
        if self.role == LEADER:
            self.check_quorum()
        elif self.role == OBSERVER:
            self.seek()
        else:
            self.stand()

    def on_disconnect(self, peer: Node) -> None:
        """The connection to a member is gone: an observer looks for another to ask."""
        if self.role == OBSERVER and peer.name in (self.leader, self.replication.asked):
            self.ask_elsewhere()

    def ask_elsewhere(self) -> None:
        """An observer forgets whom it took for the leader, and asks the next voter in a moment."""
        self.leader = None
        self.wait(BACKOFF)

    def seek(self) -> None:
        """An observer that hears no leader asks around; it waits a fetch timeout for each answer."""
        self.leader = None
        self.wait(self.fetch_timeout())
        self.replication.seek()

    # Elections

    def stand(self, cause: int = -1) -> None:
        """No leader: asks for votes, or with pre-vote first whether there would be any."""
        self.leader = None
        if self.config.pre_vote:
            self.role = PROSPECTIVE
            self.canvass(True, self.note("prospective", cause, epoch=self.term))
        else:
            self.become_candidate(cause)

    def become_candidate(self, cause: int) -> None:
        """A new term, and its first vote for itself."""
        self.role, self.term, self.voted_for = CANDIDATE, self.term + 1, self.name
        self.canvass(False, self.note("candidate", cause, epoch=self.term))

    def canvass(self, pre: bool, event: int) -> None:
        """Asks every other voter, once its own vote is on disk."""
        self.votes = {}
        self.wait(self.election_timeout())
        request = VoteRequest(self.name, self.term, self.log.last_term, self.log.end_offset, pre)
        self.persist(self.ask_for_votes, request, event)

    def ask_for_votes(self, request: VoteRequest, event: int) -> None:
        if self.term == request.term and self.role == (PROSPECTIVE if request.pre else CANDIDATE):
            kind = "pre_vote_request" if request.pre else "vote_request"
            for peer in self.other_voters():
                self.send(kind, peer, peer.on_vote_request, request, event, offset=request.end_offset,
                          epoch=request.term)
            self.on_vote(Vote(self.name, self.term, True, request.pre), event)

    def on_vote_request(self, request: VoteRequest, event: int) -> None:
        """Votes at most once in a term, and only for a log that covers its own; a pre-vote promises nothing."""
        self.observe(request.term, event)
        granted = self.would_vote(request)
        if granted and not request.pre:
            self.role, self.voted_for = FOLLOWER, request.candidate
            self.wait(self.election_timeout())
        self.persist(self.answer_vote, request, Vote(self.name, self.term, granted, request.pre), event)

    def would_vote(self, request: VoteRequest) -> bool:
        if request.term < self.term or not self.log.covers(request.last_term, request.end_offset):
            return False
        return not self.hears_a_leader() if request.pre else self.voted_for in (None, request.candidate)

    def hears_a_leader(self) -> bool:
        return self.role == LEADER or self.leader is not None and self.world.now - self.heard < self.config.patience

    def answer_vote(self, request: VoteRequest, vote: Vote, event: int) -> None:
        candidate, kind = self.group.members[request.candidate], "vote" if vote.granted else "vote_refused"
        self.send(kind, candidate, candidate.on_vote, vote, event, epoch=vote.term)

    def on_vote(self, vote: Vote, event: int) -> None:
        """Counts votes: a majority makes a prospective a candidate, a candidate the leader; no hope of one ends it."""
        if not self.observe(vote.term, event) or self.role != (PROSPECTIVE if vote.pre else CANDIDATE):
            return
        self.votes[vote.voter] = vote.granted
        granted = sum(self.votes.values())
        if granted >= self.group.majority:
            self.become_leader(event) if self.role == CANDIDATE else self.become_candidate(event)
        elif len(self.votes) - granted > len(self.group.voters) - self.group.majority:
            self.lose()

    def lose(self) -> None:
        """A prospective listens again; a candidate tries again after a back-off, where there is one."""
        if self.role == PROSPECTIVE:
            self.role = FOLLOWER
            self.wait(self.election_timeout())
        elif self.config.election_backoff_max:
            self.elections_lost += 1
            steps = int(self.luck() * 2 ** min(10, self.elections_lost))
            self.wait(min(BACKOFF * steps, self.config.election_backoff_max))

    def become_leader(self, cause: int) -> None:
        """Leads, and appends an entry of its term: only that can commit what earlier terms left (Raft 5.4.2, 8)."""
        self.role, self.leader, self.elections_lost = LEADER, self.name, 0
        self.match = {peer.name: 0 for peer in self.others()}
        self.contact = {peer.name: self.world.now for peer in self.others()}
        event = self.note("elected", cause, offset=self.log.end_offset, epoch=self.term)
        self.wait(self.config.check_quorum)
        self.replication.lead(event)
        self.append(Entry(self.term, None, NO_OP_BYTES), None, event)
        self.group.on_role(self, event)

    # Terms and leaders

    def leads(self, term: int) -> bool:
        """Whether it leads, and in this term: it may have been deposed and elected again since."""
        return self.role == LEADER and self.term == term

    def observe(self, term: int, event: int) -> bool:
        """A higher term ends whatever this member was in its own; whether the message is of the current term."""
        if term > self.term:
            self.term, self.voted_for, self.leader = term, None, None
            if self.role == LEADER:
                self.step_down(f"epoch {term} has begun", event)
            elif self.role in (PROSPECTIVE, CANDIDATE):
                self.role = FOLLOWER
                self.wait(self.election_timeout())
        return term == self.term

    def hear(self, leader: str, event: int) -> None:
        """Word from the leader of the current term: follows it if it did not, and is patient again."""
        if self.leader != leader:
            self.follow(leader, event)
        self.heard = self.world.now
        self.wait(self.fetch_timeout())

    def follow(self, leader: str, event: int) -> None:
        self.role = FOLLOWER if self.voter else OBSERVER
        self.leader, self.elections_lost = leader, 0
        self.replication.follow(event)

    def check_quorum(self) -> None:
        """A leader that a majority has not answered for `check_quorum` seconds steps down."""
        until = self.majority_of(self.contact, self.world.now) + self.config.check_quorum
        if self.world.now >= until:
            self.step_down(f"no majority has answered for {self.config.check_quorum:g} s")
        else:
            self.wait(until - self.world.now)

    def step_down(self, why: str, cause: int = -1) -> None:
        self.role, self.leader = FOLLOWER, None
        self.pending = {}
        self.wait(self.election_timeout())
        self.group.on_role(self, self.note("step_down", cause, epoch=self.term, text=why))

    # The log

    def propose(self, value, on_commit=None, size: int = 100, cause: int = -1) -> int | None:
        """A leader appends a client's entry; its offset, None if this is no leader.

        `on_commit(offset, event)` is called once it is committed while this member still leads; never, if it loses the
        lead before: the entry may then be committed or not, and the client cannot know.
        """
        return self.append(Entry(self.term, value, size), on_commit, cause) if self.role == LEADER else None

    def append(self, entry: Entry, on_commit, cause: int) -> int:
        offset = self.log.end_offset
        self.log.append([entry], self.world.now)
        event = self.note("append", cause, offset=offset, count=1, epoch=self.term, value=code(entry))
        if on_commit is not None:
            self.pending[offset] = on_commit
        self.replication.offer(event)
        self.persist(self.appended, self.term, event)
        return offset

    def appended(self, term: int, event: int) -> None:
        if self.leads(term):
            self.advance(event)

    def accept(self, offset: int, entries: list[Entry], event: int) -> None:
        """A follower takes over what is new to it; where its own log contradicts the leader's, that part goes first."""
        known = 0
        while known < len(entries) and self.log.holds(offset + known + 1, entries[known].term):
            known += 1
        new, offset = entries[known:], offset + known
        if new:
            self.truncate(offset, event)
            self.log.append(new, self.world.now)
            self.note("replicate", event, offset, len(new), new[0].term, code(new[0]))

    def truncate(self, offset: int, event: int) -> None:
        removed = self.log.truncate(offset)
        if removed:
            self.note("truncate", event, offset, len(removed), removed[0].term, code(removed[0]))

    # Commit

    def majority_of(self, peers: dict, own):
        """The value that a majority of the voters has reached, of one value a peer and the member's own."""
        reached = sorted([own] + [peers[peer.name] for peer in self.other_voters()], reverse=True)
        return reached[self.group.majority - 1]

    def advance(self, event: int) -> None:
        """Commits what a majority holds (on disk, with `fsync`) if it is of this term, and all older with it."""
        end = self.majority_of(self.match, self.log.flushed if self.config.fsync else self.log.end_offset)
        if end > self.high_watermark and self.log.term_before(end) == self.term:
            self.commit(end, event)
            self.replication.committed(event)

    def commit(self, end: int, event: int) -> None:
        """Moves the high watermark forward and applies what it passed, in order."""
        if end <= self.high_watermark:
            return
        start, self.high_watermark = self.high_watermark, end
        event = self.note("high_watermark", event, offset=end, count=end - start, epoch=self.term)
        while self.applied < self.high_watermark:
            offset, self.applied = self.applied, self.applied + 1
            self.group.apply(self, offset, self.log.entries[offset], event)
            self.pending.pop(offset, _nobody)(offset, event)

    # Disk, network and trace

    def persist(self, effect, *args) -> None:
        """Has an effect once all written so far is on disk (at once without fsync); one fsync serves all who wait."""
        if not self.config.fsync or self.all_on_disk():
            effect(*args)
            return
        self._waiting.append((effect, args))
        if not self._flushing:
            self._flush()

    def all_on_disk(self) -> bool:
        saved = self._saved == (self.term, self.voted_for)
        return saved and self.log.flushed == self.log.end_offset and not self._flushing

    def _flush(self) -> None:
        self._flushing, self.log.flushing = True, self.log.end_offset
        waiting, self._waiting = self._waiting, []
        self.node.after(self.disk.fsync(), self._flushed, (self.term, self.voted_for), waiting)

    def _flushed(self, saved: tuple, waiting: list[tuple]) -> None:
        self._flushing, self._saved, self.log.flushed = False, saved, max(self.log.flushed, self.log.flushing)
        if self._waiting:
            self._flush()
        for effect, args in waiting:
            effect(*args)

    def others(self) -> list[Member]:
        return [member for member in self.group.members.values() if member is not self]

    def other_voters(self) -> list[Member]:
        return [member for member in self.group.voters if member is not self]

    def send(self, kind: str, peer: Member, handler, message, cause: int, size: int = 0, **columns) -> None:
        self.world.network.link(self.node, peer.node).send(
            self.group.kinds[kind], handler, message, OVERHEAD + size, cause, self.group.key, **columns)

    def note(self, kind: str, cause: int, offset=-1, count=0, epoch=-1, value=-1, text="") -> int:
        group, world = self.group, self.world
        return world.trace.add(world.now, group.kinds[kind], self.node.code, -1, group.key, cause, offset, count, epoch,
                               value, text)

    def __repr__(self) -> str:
        log = f"log to {self.log.end_offset}, committed to {self.high_watermark}"
        return f"Member({self.name}, {self.role}, term {self.term}, {log})"


def code(entry: Entry) -> int:
    """An entry's value as a trace can hold it: a number as itself, anything else as none."""
    return entry.value if isinstance(entry.value, int) else -1


def _also(node: Node, hook: str, effect) -> None:
    """Adds to what a node does when it starts or crashes: several groups and models may live on one node."""
    before = getattr(node, hook)

    def both(*args):
        before(*args)
        effect(*args)
    setattr(node, hook, both)


def _nobody(*_) -> None:
    """Whom to tell of an entry that nobody waits for."""
