"""Connections between clients and one server, as brokers that push need them.

A connection has two ends, and each believes in it until it learns better: from its peer, which has closed it or knows
nothing of it; from its peer's machine, when the process there has died; or from silence, when it has heard nothing for
`keepalive` seconds because the peer has lost power, is paused or out of reach. Left out: what flow control does to the
sender.
"""

from __future__ import annotations

from collections.abc import Callable

from ..kernel.node import Node
from ..kernel.world import World

SIGN_OF_LIFE = 8  # bytes of a heartbeat, a PING or a frame without content


class End:
    """One end of a connection, and whose it is."""

    def __init__(self, owner: Server | Client, peer: Node):
        self.owner, self.node, self.peer, self.open = owner, owner.node, peer, True
        self.other: End
        self.link = owner.world.network.link(owner.node, peer)
        self.heard = owner.world.now

    def send(self, kind: int, handler: Callable, message, size: int, *columns) -> int:
        """Has `handler(end, message, event)` called at the other end; the id of the event."""
        return self.link.send(kind, self.other._arrive, (handler, message), size, *columns)

    def close(self, cause: int = -1) -> None:
        """Ends the connection from this side."""
        self.open = False
        self.link.send(self.owner.CLOSE, self.other._closed, None, SIGN_OF_LIFE, cause)

    def _arrive(self, packet: tuple, event: int) -> None:
        if self.open:
            self.heard = self.owner.world.now
            handler, message = packet
            handler(self, message, event)
        else:
            self.close(event)  # the peer may not know yet

    def _closed(self, message, event: int) -> None:
        if self.open:
            self.open = False
            self.owner.lost(self, event)

    def watch(self, keepalive: float, interval: float) -> None:
        """Gives a sign of life every `interval` seconds, and closes after `keepalive` seconds without one."""
        self.node.after(interval, self._look, keepalive, interval)

    def _look(self, keepalive: float, interval: float) -> None:
        if self.open and self.owner.world.now - self.heard > keepalive:
            self.close()
            self.owner.lost(self, -1)
        elif self.open:
            self.send(self.owner.PING, _nothing, None, SIGN_OF_LIFE)
            self.watch(keepalive, interval)


class Party:
    """A process that has connections: one client or the server."""

    def __init__(self, world: World, name: str, role: str, zone: str):
        self.world, self.node = world, world.node(name, role, zone)
        self.CONNECT = world.trace.kind("connect", "send", "{node} opens a connection to {peer}")
        self.CONNECTED = world.trace.kind("connected", "send", "{node} accepts the connection of {peer}")
        self.PING = world.trace.kind("heartbeat", "send", "{node} tells {peer} that it is alive")
        self.CLOSE = world.trace.kind("close", "send", "{node} tells {peer} that their connection is over")


class Server(Party):
    """The side that accepts connections: one open end for each client."""

    def __init__(self, world: World, name: str, role: str, zone: str, keepalive: float, interval: float):
        super().__init__(world, name, role, zone)
        self.keepalive, self.interval = keepalive, interval
        self.ends: dict[Node, End] = {}
        self.node.on_disconnect = self._peer_died

    def on_connect(self, message: tuple[Client, int], event: int) -> None:
        """A client asks for a connection, having given up any older one and any earlier attempt."""
        client, attempt = message
        if attempt != client.attempt:
            return
        if client.node in self.ends:
            self.close(self.ends[client.node], event)
        end, far = End(self, client.node), End(client, self.node)
        end.other, far.other = far, end
        self.ends[client.node] = end
        end.send(self.CONNECTED, client.on_connected, attempt, SIGN_OF_LIFE, event)
        end.watch(self.keepalive, self.interval)

    def close(self, end: End, cause: int = -1) -> None:
        """Ends a connection."""
        end.close(cause)
        self.lost(end, cause)

    def lost(self, end: End, cause: int) -> None:
        """A connection is over."""
        del self.ends[end.peer]
        self.closed(end, cause)

    def forget(self) -> None:
        """The process has died, and all its connections with it."""
        for end in self.ends.values():
            end.open = False
        self.ends = {}

    def _peer_died(self, peer: Node) -> None:
        if peer in self.ends:
            end = self.ends[peer]
            end.open = False
            self.lost(end, peer.fault)

    def closed(self, end: End, cause: int) -> None:
        """What follows from the end of a connection."""


class Client(Party):
    """The side that keeps one connection to the server, and tries again every `reconnect` seconds while it has none."""

    def __init__(self, world: World, name: str, role: str, zone: str, server: Server, reconnect: float):
        super().__init__(world, name, role, zone)
        self.server, self.reconnect = server, reconnect
        self.end: End | None = None
        self.attempt = 0
        self._retry = None
        self.node.on_start, self.node.on_disconnect, self.node.on_crash = self.connect, self._peer_died, self._crashed

    def connect(self) -> None:
        """Asks the server for a connection, again and again until it has one."""
        if self.end is None:
            self.attempt += 1
            link = self.world.network.link(self.node, self.server.node)
            link.send(self.CONNECT, self.server.on_connect, (self, self.attempt), SIGN_OF_LIFE, self.node.fault)
            self._try_again()

    def _try_again(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
        self._retry = self.node.after(self.reconnect, self.connect)

    def on_connected(self, end: End, attempt: int, event: int) -> None:
        """The server has accepted; an answer to an earlier attempt comes too late."""
        if attempt == self.attempt:
            self.end = end
            end.watch(self.server.keepalive, self.server.interval)
            self.connected(event)

    def lost(self, end: End, cause: int) -> None:
        """The connection is over; the next attempt comes after `reconnect` seconds."""
        if end is self.end:
            self.end = None
            self.disconnected()
            self._try_again()

    def _peer_died(self, peer: Node) -> None:
        if self.end is not None:
            self.end.open = False
            self.lost(self.end, peer.fault)

    def _crashed(self, power_lost: bool) -> None:
        if self.end is not None:
            self.end.open = False
            self.end = None
        self.crashed()

    def connected(self, event: int) -> None:
        """What follows when the connection is open."""

    def disconnected(self) -> None:
        """What follows when the connection is over and the process lives on."""

    def crashed(self) -> None:
        """What follows when the process has died."""


def _nothing(*_) -> None:
    """A sign of life needs no answer."""
