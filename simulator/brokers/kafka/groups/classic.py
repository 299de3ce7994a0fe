"""The classic protocol, both ends: a barrier, an assignment made by one member, and a generation.

Members meet at the barrier (JoinGroup) and learn the assignment there (SyncGroup); the generation tells one such round
from the next.
"""

from __future__ import annotations

from collections.abc import Iterable

from .assignor import Assignment, ranges, sticky, without_moving
from .coordinator import OLD, REBALANCING, UNKNOWN, Coordinator, Id, Membership
from .member import Member, Request

EMPTY, PREPARING, COMPLETING, STABLE = "Empty", "PreparingRebalance", "CompletingRebalance", "Stable"


class Joined(Membership):
    """A member with what it said when it last joined, and the request that waits for the barrier or for the leader."""

    def __init__(self, client: Member, id: Id):
        super().__init__(client, id)
        self.owned: tuple[int, ...] = ()
        self.attempt, self.missed = 0, False  # missed: a generation began without it


class ClassicCoordinator(Coordinator):
    """Empty, PreparingRebalance, CompletingRebalance, Stable."""

    def __init__(self, system):
        super().__init__(system)
        self.state, self.generation, self.round = EMPTY, 0, 0
        self.delaying, self.leader = False, None

    def on_join(self, message: tuple, event: int) -> None:
        """A member arrives at the barrier; a static one, back in a stable group, gets what it had, unnoticed."""
        client, attempt, id, generation, owned = message
        member, returned = self.members.get(id), self.known(client)
        if generation >= 0 and (member is None or member.missed and owned):
            self._answer_join(client, attempt, UNKNOWN, event)
            return
        if member is None and returned:
            member, self.leader = returned, id if self.leader == returned.id else self.leader
            self.replace(member, id)
            if self.state == STABLE and not member.missed:
                self._answer_join(client, attempt, "", event)
                return
        if member is None:
            member = Joined(client, id)
            self.enter(member)
        member.owned, member.attempt, member.waiting = owned, attempt, True
        if self.state != PREPARING:
            self._prepare(f"{client.node.name} joins", event)
        self._complete_if_all_are_here(event)

    def _answer_join(self, client: Member, attempt: int, error: str, cause: int, others=None) -> None:
        message = (attempt, self.generation, others, error)
        self.send(client, "joined", client.on_joined, message, cause, len(self.members), self.generation, error)

    def _prepare(self, why: str, event: int) -> None:
        """The barrier goes up: everybody has to join again."""
        first, completing = self.state == EMPTY, self.state == COMPLETING
        self.state = PREPARING
        self.round += 1
        event = self.note("rebalance", event, epoch=self.generation + 1, note=why)
        for member in self.members.values() if completing else ():
            if member.waiting:
                member.waiting, member.seen = False, self.world.now
                self._answer_sync(member, member.attempt, REBALANCING, event)
        self.delaying = first and self.config.initial_rebalance_delay > 0
        if self.delaying:
            self.node.after(self.config.initial_rebalance_delay, self._delay_over, self.round, len(self.members),
                            self.world.now)
        self.node.after(self.config.max_poll_interval, self._timeout, self.round)

    def _delay_over(self, round: int, members: int, since: float) -> None:
        """The first rebalance waits as long as members keep coming (KIP-134)."""
        if round != self.round:
            return
        delay = self.config.initial_rebalance_delay
        if len(self.members) > members and self.world.now + delay < since + self.config.max_poll_interval:
            self.node.after(delay, self._delay_over, round, len(self.members), since)
        else:
            self.delaying = False
            self._complete_if_all_are_here(-1)

    def _timeout(self, round: int) -> None:
        """Who has not joined by now is out; a static member stays until its session ends, without this generation."""
        if round != self.round or self.state != PREPARING:
            return
        for member in [member for member in self.members.values() if not member.waiting and not self.config.static]:
            self.remove(member, "it did not join in time", -1)
        if self.state == PREPARING and any(member.waiting for member in self.members.values()):
            self._complete(-1)
        elif self.state == PREPARING:
            self.node.after(self.config.max_poll_interval, self._timeout, round)

    def _complete_if_all_are_here(self, event: int) -> None:
        if self.state == PREPARING and not self.delaying and all(member.waiting for member in self.members.values()):
            self._complete(event)

    def _complete(self, event: int) -> None:
        """The barrier falls: a new generation, and its leader has to say who gets what."""
        self.generation += 1
        self.round += 1
        self.state = COMPLETING
        event = self.note("generation", event, epoch=self.generation, count=len(self.members))
        here = [member for member in self.members.values() if member.waiting]
        if self.leader not in [member.id for member in here]:
            self.leader = here[0].id
        others = {member.id: member.owned for member in sorted(self.members.values(), key=lambda member: member.id)}
        for member in self.members.values():
            if not member.waiting:
                member.missed = True
                self.note("removed", event, peer=member.client.node.code, value=member.id[1],
                          note="it missed the generation")
        for member in here:
            member.waiting, member.missed, member.seen = False, False, self.world.now
            self._answer_join(member.client, member.attempt, "", event, others if member.id == self.leader else None)

    def on_sync(self, message: tuple, event: int) -> None:
        """A member asks for its assignment, the leader brings everybody's."""
        client, attempt, id, generation, assignment = message
        error = self.refusal(id, generation) or (REBALANCING if self.state == PREPARING else "")
        if error:
            self.send(client, "synced", client.on_synced, (attempt, None, error), event, note=error)
            return
        member = self.members[id]
        member.attempt, member.waiting = attempt, True
        if self.state == COMPLETING and assignment is not None:
            self.state = STABLE
            for known in self.members.values():
                known.assigned = assignment.get(known.id, ())
            event = self.note("stable", event, epoch=self.generation)
        if self.state == STABLE:
            for known in [known for known in self.members.values() if known.waiting]:
                known.waiting, known.seen = False, self.world.now
                self._answer_sync(known, known.attempt, "", event)

    def _answer_sync(self, member: Joined, attempt: int, error: str, cause: int) -> None:
        count = 0 if error else len(member.assigned)
        self.send(member.client, "synced", member.client.on_synced, (attempt, member.assigned, error), cause,
                  count, note=error)

    def on_heartbeat(self, message: tuple, event: int) -> None:
        """A sign of life; its answer says whether to join again."""
        client, id, generation = message
        error = self.refusal(id, generation)
        if not error:
            self.members[id].seen = self.world.now
            error = REBALANCING if self.state == PREPARING else ""
        self.send(client, "heartbeat_answer", client.on_heartbeat_answer, (id, generation, error), event, note=error)

    def on_leave(self, message: tuple, event: int) -> None:
        """A member says goodbye."""
        client, id = message
        if id in self.members:
            self.remove(self.members[id], "it leaves", event)

    def removed(self, member: Membership, why: str, event: int) -> None:
        if not self.members:
            self.state, self.round = EMPTY, self.round + 1
        elif self.state != PREPARING:
            self._prepare(f"{member.client.node.name}: {why}", event)
        self._complete_if_all_are_here(event)

    def recovered(self) -> None:
        if self.members:
            self.state = STABLE
            self._prepare("the coordinator is back", self.node.fault)

    def refusal(self, id: Id, epoch: int) -> str:
        """Why a request of this member in this generation is refused; empty if it is not."""
        member = self.members.get(id)
        return UNKNOWN if member is None else OLD if member.missed or epoch != self.generation else ""

    def commit_refusal(self, id: Id, epoch: int, keys: Iterable[int]) -> str:
        return self.refusal(id, epoch) or (REBALANCING if self.state == COMPLETING else "")


class ClassicMember(Member):
    """Joins when its poll comes, so that a rebalance waits for the slowest; the leader assigns."""

    def enter(self) -> None:
        self.membership = Request(self, self.config.max_poll_interval + 5.0)
        self.epoch, self.rejoin, self.assignment, self.out = -1, True, None, False

    def heartbeat(self) -> None:
        if self.epoch >= 0 and self.membership.open is None:
            self.tell("heartbeat", self.system.coordinator.on_heartbeat, (self, self.id, self.epoch))

    def on_heartbeat_answer(self, message: tuple, event: int) -> None:
        """The coordinator wants everybody back at the barrier, or does not know this member."""
        id, generation, error = message
        if self.running and (id, generation) == (self.id, self.epoch) and self.membership.open is None:
            self.refused(error)

    def refused(self, error: str) -> None:
        if error in (UNKNOWN, OLD) and self.epoch >= 0:
            self.again()
        elif error == REBALANCING and self.membership.open is None:
            self.rejoin = True
            self.wake()

    def follow(self) -> None:
        """In the application's thread: take over the assignment, or go back to the barrier."""
        if self.out:
            self.too_late()
        if self.assignment is not None:
            self._take_over()
        if self.rejoin and self.membership.open is None:
            self.rejoin = False
            if not self.config.cooperative:
                self.give_up(list(self.owned), "revoked")
            self.membership.send("join_group", self.system.coordinator.on_join, self.id, self.epoch, tuple(self.owned),
                                 count=len(self.owned))

    def _take_over(self) -> None:
        """What is no longer assigned goes first; under KIP-429 that calls for a second round."""
        assigned, self.assignment = dict.fromkeys(self.assignment), None
        gone = [key for key in self.owned if key not in assigned]
        self.give_up(gone, "revoked")
        self.take([key for key in assigned if key not in self.owned])
        self.rejoin = self.rejoin or bool(gone)

    def on_joined(self, message: tuple, event: int) -> None:
        """The barrier has fallen; who was told of the others is the leader."""
        attempt, generation, others, error = message
        if self.running and self.membership.answered(attempt):
            if error:
                self.again()
                return
            self.epoch = generation
            assignment = None if others is None else self._assign(others)
            self.membership.send("sync_group", self.system.coordinator.on_sync, self.id, generation, assignment)

    def _assign(self, owned: Assignment) -> Assignment:
        partitions = self.config.partitions
        if self.config.cooperative:
            return without_moving(sticky(owned, partitions), owned)
        return ranges(list(owned), partitions)

    def on_synced(self, message: tuple, event: int) -> None:
        """The assignment, or back to the barrier."""
        attempt, assigned, error = message
        if self.running and self.membership.answered(attempt):
            if error:
                self.refused(error)
            else:
                self.assignment = assigned
                self.wake()

    def leave(self) -> None:
        if not self.config.static:
            self.tell("leave_group", self.system.coordinator.on_leave, (self, self.id))

    def expired(self) -> None:
        self.leave()
        self.out = True
