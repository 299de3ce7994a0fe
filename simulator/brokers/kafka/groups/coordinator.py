"""What every group coordinator does: it keeps sessions and committed offsets, and refuses commits of the past."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .member import Member
    from .system import GroupSystem

OVERHEAD = 100         # bytes of a request or an answer
PER_PARTITION = 12     # bytes for each partition that it names
REBALANCING = "rebalance in progress"
UNKNOWN = "unknown member"
OLD = "old generation"
MOMENT = 1e-9          # seconds; timers that are due within it are due

Id = tuple[int, int]   # of a member: its node, and which of its memberships this is


class Membership:
    """What the coordinator knows of a member."""

    def __init__(self, client: Member, id: Id):
        self.client, self.id = client, id
        self.seen = client.world.now
        self.assigned: tuple[int, ...] = ()
        self.waiting = False  # for an answer that the coordinator owes it: then silence is no offence


class Coordinator:
    """The broker that leads the group's partition of __consumer_offsets."""

    def __init__(self, system: GroupSystem):
        self.system, self.config, self.world, self.kinds = system, system.config, system.world, system.kinds
        self.node = system.world.node("coordinator", "broker", system.config.zones[0])
        self.node.on_start = self._recover
        self.members: dict[Id, Membership] = {}
        self.committed: dict[int, int] = {}

    # Sessions

    def known(self, client: Member) -> Membership | None:
        """The static member that this client is, under an id that it may have had before."""
        same = (member for member in self.members.values() if member.client is client)
        return next(same, None) if self.config.static else None

    def enter(self, member: Membership) -> None:
        """A member is in the group from now on, as long as it gives signs of life."""
        self.members[member.id] = member
        self.node.after(self.config.session_timeout, self._check_session, member)

    def replace(self, member: Membership, id: Id) -> None:
        """A static member is back under a new id; whoever uses the old one is fenced (KIP-345)."""
        self.note("removed", -1, peer=member.client.node.code, value=member.id[1],
                  note="its instance id has come back under another member id")
        self.members = {id if known is member else known.id: known for known in self.members.values()}
        member.id, member.seen = id, self.world.now

    def _check_session(self, member: Membership) -> None:
        if self.members.get(member.id) is not member:
            return
        left = member.seen + self.config.session_timeout - self.world.now
        if member.waiting:
            left = self.config.session_timeout
        if left > MOMENT:
            self.node.after(left, self._check_session, member)
        else:
            self.remove(member, "session timeout", -1)

    def remove(self, member: Membership, why: str, cause: int) -> None:
        """A member is out, and what it had is free."""
        del self.members[member.id]
        event = self.note("removed", cause, peer=member.client.node.code, value=member.id[1], note=why)
        self.removed(member, why, event)

    def _recover(self) -> None:
        """The process is back: every session begins anew, and whoever waits for an answer will have to ask again."""
        for member in self.members.values():
            member.seen, member.waiting = self.world.now, False
            self.node.after(self.config.session_timeout, self._check_session, member)
        self.recovered()

    # Offsets

    def on_commit(self, message: tuple, event: int) -> None:
        """Stores offsets, unless they come from a member or a generation of the past."""
        client, id, epoch, offsets = message
        error = self.commit_refusal(id, epoch, offsets)
        if error:
            event = self.note("refused", event, peer=client.node.code, value=id[1], note=error)
        else:
            for key, offset in offsets.items():
                if offset != self.committed.get(key):
                    self.committed[key] = offset
                    self.note("committed", event, key=key, offset=offset)
        self.send(client, "commit_answer", client.on_commit_answer, (id, epoch, error), event, note=error)

    def on_offset_fetch(self, message: tuple, event: int) -> None:
        """Where to begin: at the committed offset, else at the beginning (`auto.offset.reset=earliest`)."""
        client, attempt, keys = message
        offsets = {key: self.committed.get(key, 0) for key in keys}
        self.send(client, "offset_fetched", client.on_offsets, (attempt, offsets), event, len(keys))

    # Evidence and messages

    def send(self, client: Member, kind: str, handler, message, cause: int, count: int = 0, epoch: int = -1,
             note: str = "") -> None:
        """Answers a member."""
        size = OVERHEAD + PER_PARTITION * count
        link = self.world.network.link(self.node, client.node)
        sent = link.send(self.kinds[kind], handler, message, size, cause, -1, -1, count, epoch)
        if note and sent >= 0:
            self.world.trace.notes[sent] = f"({note})"

    def note(self, kind: str, cause: int, **columns) -> int:
        """Writes into the trace what happened here."""
        return self.world.trace.add(self.world.now, self.kinds[kind], self.node.code, cause=cause, **columns)

    # What the protocols say

    def commit_refusal(self, id: Id, epoch: int, keys: Iterable[int]) -> str:
        """Why a commit of these partitions, with this id and generation or member epoch, is refused; empty if not."""
        raise NotImplementedError

    def removed(self, member: Membership, why: str, event: int) -> None:
        """What follows when a member is out."""

    def recovered(self) -> None:
        """What follows when the process is back."""
