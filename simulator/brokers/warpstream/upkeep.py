"""What one agent does for all: it deletes or rescues what nobody committed, and makes large files of small.

A file is deleted only after the metadata service has said that nobody may commit it any more. Whoever asks which files
exist and deletes the unknown ones by itself will sooner or later delete one that is being committed at that moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .files import COMPACTED, OVERHEAD, File, name_of

if TYPE_CHECKING:
    from .agent import Agent

AT_ONCE = 32            # small files that one compaction makes one of
AT_REST = 2.0           # seconds since its commit before a file is compacted


class Upkeep:
    """The collector and the compactor of one agent; `system` asks one agent at a time."""

    def __init__(self, agent: Agent):
        self.agent, self.world = agent, agent.world

    def _ask(self, kind: str, handler, message, count: int = 0) -> None:
        agent = self.agent
        link = self.world.network.link(agent.node, agent.system.metadata.node)
        link.send(getattr(agent.kinds, kind), handler, message, OVERHEAD, -1, -1, -1, count)

    # Orphans

    def scan(self) -> None:
        """Lists what is there and asks what nobody needs."""
        metadata = self.agent.system.metadata
        self.agent.storage.names(lambda names: self._ask("scan", metadata.on_scan, (self.agent, names), len(names)))

    def on_scanned(self, message: tuple, event: int) -> None:
        """Deletes what nobody needs; reads and commits what was acknowledged before its commit."""
        garbage, orphans, late = message
        agent, counts = self.agent, self.world.meters.counts
        counts["orphans"] += len(orphans)
        for name in orphans:
            agent.note("orphan", event, text=name, peer=agent.system.metadata.node.code)
        for name in garbage:
            agent.storage.delete(name)
        for name in late:
            agent.storage.get(name, None, self._rescue, event)

    def _rescue(self, answer) -> None:
        if answer.ok:
            self.world.meters.counts["rescued files"] += 1
            answer.body.event = self.agent.note("recovered", answer.event, text=answer.key)
            self.agent.commit(answer.body)

    # Compaction

    def compact(self) -> None:
        """Reads the oldest small files and writes them as one; until that is in place, nobody sees it."""
        agent, now = self.agent, self.world.now
        old = [file for file in agent.system.metadata.small if now - file.made > AT_REST][:AT_ONCE]
        if len(old) < 2:
            return
        agent.files_made += 1
        name = name_of(COMPACTED, now, agent.node.name, agent.files_made)
        new, read = File(name, now, size=sum(file.size for file in old)), []

        def one(answer) -> None:
            read.append(answer.ok)
            if len(read) == len(old) and all(read):
                agent.storage.put(new, lambda ok: self._written(old, new) if ok else None)
        for file in old:
            agent.storage.get(file.name, None, one)

    def _written(self, old: list[File], new: File) -> None:
        self.agent.note("compacted", -1, len(old), new.name)
        self._ask("replace", self.agent.system.metadata.on_replace, (self.agent, old, new), len(old))

    def on_replaced(self, new: File, event: int) -> None:
        """The small files are unknown from now on; the next scan finds them."""
        self.world.meters.counts["compactions"] += 1
