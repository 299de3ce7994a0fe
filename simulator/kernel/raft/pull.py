"""Replication as in KRaft (KIP-595): followers fetch, and a fetch tells the leader how far the follower's log reaches.

A fetch names the end of the replica's log and the term of its last entry. If the leader's log does not hold that, it
answers with its last term that is not later and where that ends; the replica cuts its log back to there and fetches
again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .messages import BeginEpoch, Fetch, Fetched

if TYPE_CHECKING:
    from .member import Member


class Pull:
    """The leader's and the follower's half, for one member."""

    def __init__(self, member: Member):
        self.member = member
        self.attempt = 0                                 # of a replica: the fetch whose answer counts
        self.asked: str | None = None                    # of an observer: which voter it asked last who leads
        self.parked: dict[str, tuple[Fetch, int]] = {}   # of a leader: fetches that wait for something new, by replica

    # Leader

    def lead(self, event: int) -> None:
        self.parked, self.attempt = {}, self.attempt + 1
        self.call(self.member.other_voters(), event)
        self.member.node.after(self.member.config.heartbeat, self.tick, self.member.term)

    def tick(self, term: int) -> None:
        """Every heartbeat: calls on voters that have not fetched since the last."""
        me = self.member
        if self.member.leads(term):
            silent_since = me.world.now - me.config.heartbeat
            self.call([peer for peer in me.other_voters() if me.contact[peer.name] <= silent_since], -1)
            me.node.after(me.config.heartbeat, self.tick, term)

    def call(self, voters: list[Member], event: int) -> None:
        me = self.member
        for peer in voters:
            message = BeginEpoch(me.name, me.term)
            me.send("begin_epoch", peer, peer.replication.on_begin_epoch, message, event, epoch=me.term)

    def offer(self, event: int) -> None:
        """There is something new: answers whoever waits for it."""
        parked, self.parked = self.parked, {}
        for fetch, _ in parked.values():
            self.answer(fetch, event)

    committed = offer

    def on_fetch(self, fetch: Fetch, event: int) -> None:
        """Counts what the replica has; answers at once if there is news for it, otherwise later."""
        me = self.member
        if not me.observe(fetch.term, event) or not self.member.leads(fetch.term):
            self.refuse(fetch, event)
            return
        me.contact[fetch.replica] = me.world.now
        if not me.log.holds(fetch.end_offset, fetch.last_term):
            self.answer_diverging(fetch, event)
            return
        self.parked[fetch.replica] = fetch, event
        me.match[fetch.replica] = fetch.end_offset
        me.advance(event)
        if self.parked.get(fetch.replica) == (fetch, event):
            self.answer_or_wait(fetch, event)

    def answer_or_wait(self, fetch: Fetch, event: int) -> None:
        me = self.member
        if (fetch.end_offset, fetch.high_watermark) != (me.log.end_offset, me.high_watermark):
            self.expire(fetch, event)
        else:
            me.node.after(me.config.fetch_wait, self.expire, fetch, event)

    def expire(self, fetch: Fetch, event: int) -> None:
        """Answers a parked fetch, unless something new has done so."""
        if self.member.leads(fetch.term) and self.parked.get(fetch.replica) == (fetch, event):
            del self.parked[fetch.replica]
            self.answer(fetch, event)

    def answer(self, fetch: Fetch, event: int) -> None:
        me = self.member
        entries = me.log.entries[fetch.end_offset:]
        answer = Fetched(me.name, me.term, fetch.attempt, False, fetch.end_offset, entries, me.high_watermark)
        self.reply("entries", fetch, answer, event, sum(entry.size for entry in entries),
                   offset=fetch.end_offset, count=len(entries))

    def answer_diverging(self, fetch: Fetch, event: int) -> None:
        me = self.member
        term, end = me.log.end_of_term(fetch.last_term)
        answer = Fetched(me.name, me.term, fetch.attempt, diverging=(term, end))
        self.reply("diverging", fetch, answer, event, offset=end)

    def refuse(self, fetch: Fetch, event: int) -> None:
        me = self.member
        self.reply("not_leader", fetch, Fetched(me.leader, me.term, fetch.attempt, refused=True), event)

    def reply(self, kind: str, fetch: Fetch, answer: Fetched, event: int, size: int = 0, **columns) -> None:
        replica = self.member.group.members[fetch.replica]
        self.member.send(kind, replica, replica.replication.on_fetched, answer, event, size,
                         epoch=answer.term, **columns)

    # Follower

    def on_begin_epoch(self, message: BeginEpoch, event: int) -> None:
        """A leader makes itself known, or calls because a fetch got lost: fetches (again).

        A call alone does not keep a follower patient; only an answer to its fetch does.
        """
        me = self.member
        if not me.observe(message.term, event):
            return
        if me.leader == message.leader:
            self.fetch(message.leader, event)
        else:
            me.hear(message.leader, event)

    def follow(self, event: int) -> None:
        """Begins to fetch from the leader."""
        self.fetch(self.member.leader, event)

    def seek(self) -> None:
        """An observer without a leader asks one voter after the other who leads."""
        names = [voter.name for voter in self.member.group.voters]
        self.asked = names[(names.index(self.asked) + 1) % len(names)] if self.asked else names[0]
        self.fetch(self.asked, -1)

    def fetch(self, source: str, event: int) -> None:
        """Fetches, once all it has is on disk: the fetch says so. Answers to earlier fetches no longer count."""
        self.attempt += 1
        self.member.persist(self.send_fetch, source, self.attempt, event)

    def send_fetch(self, source: str, attempt: int, event: int) -> None:
        me = self.member
        if attempt == self.attempt and (me.leader == source or not me.voter):
            source = me.group.members[source]
            fetch = Fetch(me.name, me.term, me.log.end_offset, me.log.last_term, me.high_watermark, attempt)
            me.send("fetch_entries", source, source.replication.on_fetch, fetch, event,
                    offset=fetch.end_offset, epoch=me.term)

    def on_fetched(self, answer: Fetched, event: int) -> None:
        """Takes entries, or cuts its log back to where it leaves the leader's, and fetches on."""
        me = self.member
        if answer.attempt != self.attempt or not me.observe(answer.term, event):
            return
        if answer.refused:
            if answer.leader not in (None, me.leader):
                me.follow(answer.leader, event)
            elif not me.voter:
                me.ask_elsewhere()
            return
        me.hear(answer.leader, event)
        if answer.attempt != self.attempt:  # it had not known the leader, and has just begun to fetch from it
            return
        if answer.diverging:
            term, end = answer.diverging
            me.truncate(min(end, me.log.end_of_term(term)[1]), event)
        else:
            me.accept(answer.offset, answer.entries, event)
            me.commit(min(answer.high_watermark, me.log.end_offset), event)
        self.fetch(answer.leader, event)
