"""Replication as in the Raft paper: the leader sends AppendEntries, followers answer up to where their log agrees.

The leader sends on without waiting for answers (pipelining). What was lost on the way shows at the next heartbeat,
which does not fit the follower's log; the follower answers with its last term that could fit and where that ends, so
that the leader goes back by whole terms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .messages import AppendEntries, Appended

if TYPE_CHECKING:
    from .member import Member


class Push:
    """The leader's and the follower's half, for one member."""

    def __init__(self, member: Member):
        self.member = member
        self.next: dict[str, int] = {}  # of a leader: the offset from which to send on, by member
        self.asked = None               # nobody asks who leads: leaders send

    # Leader

    def lead(self, event: int) -> None:
        self.next = {peer.name: self.member.log.end_offset for peer in self.member.others()}
        self.member.node.after(self.member.config.heartbeat, self.tick, self.member.term)

    def tick(self, term: int) -> None:
        """Every heartbeat, as long as it leads in this term."""
        if self.member.leads(term):
            self.offer(-1)
            self.member.node.after(self.member.config.heartbeat, self.tick, term)

    def offer(self, event: int) -> None:
        """There is something new: sends it to everybody."""
        for peer in self.member.others():
            self.send(peer, event)

    def committed(self, event: int) -> None:
        """Followers learn of a commit with the next message, as in the paper."""

    def send(self, peer: Member, event: int) -> None:
        me, offset = self.member, self.next[peer.name]
        entries = me.log.entries[offset:]
        self.next[peer.name] = me.log.end_offset
        message = AppendEntries(me.name, me.term, offset, me.log.term_before(offset), entries, me.high_watermark)
        kind = "append_entries" if entries else "leader_heartbeat"
        me.send(kind, peer, peer.replication.on_append_entries, message, event, sum(entry.size for entry in entries),
                offset=offset, count=len(entries), epoch=me.term)

    def on_appended(self, answer: Appended, event: int) -> None:
        """Counts what a follower has; sends from further back where the logs do not agree."""
        me, name = self.member, answer.follower
        if not me.observe(answer.term, event) or not self.member.leads(answer.term):
            return
        me.contact[name] = me.world.now
        if answer.diverging:
            term, end = answer.diverging
            self.next[name] = min(end, me.log.end_of_term(term)[1], answer.offset - 1)
            self.send(me.group.members[name], event)
        else:
            me.match[name] = max(me.match[name], answer.offset)
            me.advance(event)

    # Follower

    def follow(self, event: int) -> None:
        """Nothing to do: the leader sends."""

    def seek(self) -> None:
        """Nothing to do: a leader will send."""

    def on_append_entries(self, message: AppendEntries, event: int) -> None:
        """Takes entries that fit its log, and answers once they are on disk."""
        me = self.member
        if not me.observe(message.term, event):
            self.answer(message, Appended(me.name, me.term, message.offset), event)
            return
        me.hear(message.leader, event)
        if not me.log.holds(message.offset, message.previous_term):
            diverging = me.log.end_of_term(message.previous_term)
            self.answer(message, Appended(me.name, me.term, message.offset, diverging), event)
            return
        end = message.offset + len(message.entries)
        me.accept(message.offset, message.entries, event)
        me.commit(min(message.high_watermark, end), event)
        me.persist(self.answer, message, Appended(me.name, me.term, end), event)

    def answer(self, message: AppendEntries, answer: Appended, event: int) -> None:
        """Answers, unless a new term has begun since: what it took over may be gone again."""
        me, leader = self.member, self.member.group.members[message.leader]
        if me.term == answer.term:
            agrees = answer.term == message.term and answer.diverging is None
            me.send("appended" if agrees else "append_refused", leader, leader.replication.on_appended, answer, event,
                    offset=answer.offset, epoch=answer.term)
