"""A publisher with one connection: it sends each message when the business makes it, or as soon as it is connected."""

from __future__ import annotations

import numpy as np

from ..kernel.world import World
from .connections import Client, Server


class Publisher(Client):
    """Subclasses say how a message is sent, and may refuse to keep it; messages are numbered as they are made."""

    def __init__(self, world: World, zone: str, server: Server, reconnect: float, times: np.ndarray, history):
        super().__init__(world, "publisher-1", "producer", zone, server, reconnect)
        self.times, self.history = times.tolist(), history
        self.process = history.processes.code("publisher-1")
        self.made = 0
        self.kept: list[tuple[int, int]] = []  # (operation, message)
        self._plan()

    @property
    def done(self) -> bool:
        """Whether every message was made and sent."""
        return self.made == len(self.times) and not self.kept

    def _plan(self) -> None:
        if self.made < len(self.times):
            self.world.after(self.times[self.made] - self.world.now, self._make)

    def _make(self) -> None:
        """The business makes a message; nobody takes it if the process is down."""
        if self.node.up:
            self.node.call(self.node.incarnation, self._publish, (self.history.op(), self.made))
        self.made += 1
        self._plan()

    def _publish(self, op: int, value: int) -> None:
        if self.end is None:
            self.keep(op, value)
        else:
            self.send(op, value)

    def connected(self, event: int) -> None:
        """What was kept goes out, in order."""
        kept, self.kept = self.kept, []
        for op, value in kept:
            self.send(op, value)

    def keep(self, op: int, value: int) -> None:
        """A message has to wait for a connection."""
        self.kept.append((op, value))

    def send(self, op: int, value: int) -> None:
        """A message leaves."""
        raise NotImplementedError
