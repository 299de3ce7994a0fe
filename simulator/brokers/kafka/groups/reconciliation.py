"""KIP-848, both ends: the coordinator computes a target and leads members there by heartbeats, without a barrier."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from .assignor import sticky
from .coordinator import OLD, UNKNOWN, Coordinator, Id, Membership
from .member import Member


class Reconciled(Membership):
    """A member on its way to the target: `assigned` is what it may own, `revoking` what it has yet to give up.

    since: the member epoch in which it was given each partition (KIP-1251).
    """

    def __init__(self, client: Member, id: Id):
        super().__init__(client, id)
        self.epoch = 0
        self.revoking: frozenset[int] = frozenset()
        self.since: dict[int, int] = {}


class ReconcilingCoordinator(Coordinator):
    """Group epoch, target assignment, and who holds each partition until it has reported that it does not."""

    def __init__(self, system):
        super().__init__(system)
        self.group_epoch = self.target_epoch = 0
        self.target: dict[Id, tuple[int, ...]] = {}
        self.holder: dict[int, Membership] = {}
        self.computed_at, self.planned, self.stable = -inf, False, True

    def on_heartbeat(self, message: tuple, event: int) -> None:
        """A member reports what it has, and learns what it should have."""
        client, attempt, id, epoch, claims = message
        member = self.members.get(id) or (self._join(client, id, event) if epoch == 0 else None)
        if member is None:
            self.send(client, "heartbeat_answer", client.on_heartbeat_answer, (attempt, 0, None), event, note=UNKNOWN)
            return
        member.seen = self.world.now
        self._reconcile(member, frozenset(claims), event)
        answer = (attempt, member.epoch, member.assigned)
        self.send(client, "heartbeat_answer", client.on_heartbeat_answer, answer, event,
                  len(member.assigned), member.epoch)
        self._settle(event)

    def _join(self, client: Member, id: Id, event: int) -> Reconciled:
        member = self.known(client)
        if member:
            self.target[id] = self.target.pop(member.id, ())
            self.replace(member, id)
        else:
            member = Reconciled(client, id)
            self.enter(member)
            self._bump(f"{client.node.name} joins", event)
        return member

    def _reconcile(self, member: Reconciled, claims: frozenset[int], event: int) -> None:
        """One step: give up first, then take over the target's epoch and what of the target is free."""
        if member.revoking & claims:
            return
        for key in sorted(member.revoking):
            del self.holder[key]
        member.revoking = frozenset()
        target = self.target.get(member.id, ())
        excess = frozenset(member.assigned) - frozenset(target)
        member.assigned = tuple(key for key in member.assigned if key not in excess)
        if excess:
            member.revoking = excess
            self.node.after(self.config.max_poll_interval, self._check_revoked, member, excess)
            return
        member.epoch = max(self.target_epoch, 1)
        free = tuple(key for key in target if self.holder.get(key) is None)
        self.holder.update(dict.fromkeys(free, member))
        member.since.update(dict.fromkeys(free, member.epoch))
        member.assigned += free

    def _check_revoked(self, member: Reconciled, keys: frozenset[int]) -> None:
        if self.members.get(member.id) is member and member.revoking is keys:
            self.remove(member, "rebalance timeout", -1)

    def _bump(self, why: str, event: int) -> None:
        """The group has changed: a new epoch, and a new target at most every `assignment_interval`."""
        self.group_epoch += 1
        self.stable = False
        self.note("rebalance", event, epoch=self.group_epoch, note=why)
        if not self.planned:
            self.planned = True
            self.node.after(max(0.0, self.computed_at + self.config.assignment_interval - self.world.now),
                            self._compute)

    def _compute(self) -> None:
        self.planned, self.computed_at, self.target_epoch = False, self.world.now, self.group_epoch
        if self.members:
            self.target = sticky({id: self.target.get(id, ()) for id in self.members}, self.config.partitions)
        self.note("target", -1, epoch=self.target_epoch)

    def _settle(self, event: int) -> None:
        """Notes when everybody has arrived at the target."""
        if not self.stable and self.target_epoch == self.group_epoch and all(map(self._arrived, self.members.values())):
            self.stable = True
            self.note("stable", event, epoch=self.group_epoch)

    def _arrived(self, member: Reconciled) -> bool:
        has_all = len(member.assigned) == len(self.target[member.id])
        return member.epoch == self.target_epoch and not member.revoking and has_all

    def on_leave(self, message: tuple, event: int) -> None:
        """A member says goodbye."""
        client, id = message
        if id in self.members:
            self.remove(self.members[id], "it leaves", event)

    def removed(self, member: Membership, why: str, event: int) -> None:
        self.target.pop(member.id, None)
        self.holder = {key: holder for key, holder in self.holder.items() if holder is not member}
        self._bump(f"{member.client.node.name}: {why}", event)

    def recovered(self) -> None:
        self.planned = False
        self._bump("the coordinator is back", self.node.fault)

    def commit_refusal(self, id: Id, epoch: int, keys: Iterable[int]) -> str:
        """An older epoch is good enough for partitions that the member has had since then (KIP-1251, Kafka 4.3)."""
        member = self.members.get(id)
        if member is None:
            return UNKNOWN
        held = all(self.holder.get(key) is member and member.since[key] <= epoch for key in keys)
        return "" if epoch == member.epoch or epoch < member.epoch and held else OLD


class ReconcilingMember(Member):
    """The background thread talks to the coordinator; the application's next poll gives up and takes over."""

    def enter(self) -> None:
        self.epoch, self.goal = 0, None

    def heartbeat(self) -> None:
        """Reports every partition that this member owns or may yet take without asking again."""
        if self.membership.open is None:
            claims = tuple(dict.fromkeys([*self.owned, *(self.goal or ())]))
            self.membership.send("heartbeat", self.system.coordinator.on_heartbeat, self.id, self.epoch, claims,
                                 count=len(claims))

    def on_heartbeat_answer(self, message: tuple, event: int) -> None:
        """What the coordinator wants; a stranger gives up everything and joins anew."""
        attempt, epoch, goal = message
        if self.running and self.membership.answered(attempt):
            if goal is None:
                self.again()
                return
            self.epoch, self.goal = epoch, goal
            if frozenset(goal) != self.owned.keys():
                self.wake()

    def follow(self) -> None:
        """Gives up what is not in the goal, takes what is new, and says so at once."""
        if self.epoch < 0:
            self.too_late()
        if self.goal is not None:
            goal, self.goal = frozenset(self.goal), None
            gone, new = [key for key in self.owned if key not in goal], sorted(goal - self.owned.keys())
            self.give_up(gone, "revoked")
            self.take(new)
            if gone or new:
                self.heartbeat()

    def leave(self) -> None:
        if not self.config.static:
            self.tell("leave_group", self.system.coordinator.on_leave, (self, self.id))

    def expired(self) -> None:
        self.leave()
        self.membership.drop()
        self.epoch, self.goal = -1, None

    def refused(self, error: str) -> None:
        if error == UNKNOWN and self.epoch > 0:
            self.again()
