"""The members of one Raft group, and what a client or a state machine sees of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..disk import Disk, DiskProfile
from ..distributions import check
from .config import Config
from .log import Entry
from .member import LEADER, Member
from .messages import SENTENCES

if TYPE_CHECKING:
    from ..node import Node
    from ..world import World

MOST_VOTERS = 7


class Group:
    """One to seven voters and any number of observers, each on a node; a node may hold members of many groups.

    A state machine sets two hooks. `apply(member, offset, entry, event)`: a member has learned that an entry is
    committed; each sees them in order, and all again after a restart. `on_role(member, event)`: a member became leader
    or stepped down. `disks`: the disk of each node by its name, where groups share nodes; without it each member gets
    one of its own.
    """

    def __init__(self, world: World, name: str, voters: Sequence[Node], config: Config | None = None,
                 observers: Sequence[Node] = (), disks: dict[str, Disk] | None = None, member: type[Member] = Member):
        check("voters", [node.name for node in voters], 1 <= len(voters) <= MOST_VOTERS, f"1 to {MOST_VOTERS} nodes")
        nodes = [*voters, *observers]
        check("observers", [node.name for node in observers], len({node.name for node in nodes}) == len(nodes),
              "nodes that are not members yet")
        self.world, self.name, self.config = world, name, config or Config()
        self.key = world.trace.keys.code(name)
        self.kinds = {kind: world.trace.kind(kind, *told) for kind, told in SENTENCES.items()}
        self.apply = self.on_role = _nothing
        disks = disks or {node.name: Disk(node, DiskProfile()) for node in nodes}
        self.members = {node.name: member(self, node, node in voters, disks[node.name]) for node in nodes}
        self.voters = [self.members[node.name] for node in voters]
        self.majority = len(voters) // 2 + 1
        for each in self.members.values():
            each.start()

    @property
    def leader(self) -> Member | None:
        """The live member that leads in the highest term, None if there is none; a deposed one may not know it yet."""
        leaders = [member for member in self.voters if member.role == LEADER and member.node.up]
        return max(leaders, key=lambda member: member.term, default=None)

    def propose(self, value, on_commit=None, size: int = 100, cause: int = -1) -> int | None:
        """Has the leader append an entry, see `Member.propose`; None without a leader.

        A call, not a message: it takes no time, and reaches even a paused or isolated leader. A model whose clients are
        nodes sends to a member's node and calls `propose` there.
        """
        leader = self.leader
        return leader.propose(value, on_commit, size, cause) if leader else None

    def begin_with(self, value, size: int = 100) -> None:
        """Gives every member the same first entry, of term 1 and on disk, at the very start: what formatting does."""
        for member in self.members.values():
            member.begin_with(Entry(1, value, size))

    def committed(self) -> list[Entry]:
        """What the member that knows most knows to be committed."""
        most = max(self.members.values(), key=lambda member: member.high_watermark)
        return most.log.entries[:most.high_watermark]

    def __repr__(self) -> str:
        return f"Group({self.name}: {', '.join(map(repr, self.members.values()))})"


def _nothing(*_) -> None:
    """What a group without a state machine does."""
