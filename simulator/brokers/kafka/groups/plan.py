"""What is planned for the members of a group, of either kind: to join, to stop for a while, to stall."""

from __future__ import annotations

from ...settings import check
from .config import Event


def check_members(events: tuple[Event, ...], consumers: int) -> None:
    """Refuses an event for a member that the group does not have."""
    names = [f"consumer-{number + 1}" for number in range(consumers)]
    for event in events:
        check(event, "member", event.member in names, f"a member of this group, consumer-1 to consumer-{consumers}")


class Planned:
    """A running group (`config`, `world`, `members`) whose members start at once, but for those that join later."""

    def _plan(self) -> None:
        late = [event.member for event in self.config.events if event.kind == "join"]
        for member in self.members:
            if member.node.name not in late:
                self.world.after(0.0, member.start)
        for event in self.config.events:
            member = next(member for member in self.members if member.node.name == event.member)
            self.world.after(event.at, self._happen, event, member)

    def _happen(self, event: Event, member) -> None:
        node = member.node
        if event.kind == "stall":
            member.extra = event.lasts
        elif node.up:
            node.call(node.incarnation, member.start if event.kind == "join" else member.stop, ())
        if event.kind == "stop" and event.ends > event.at:
            self.world.after(event.lasts, lambda: node.up and node.call(node.incarnation, member.start, ()))
