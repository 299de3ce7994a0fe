"""Connections between clients and one server, as brokers that push need them.

A connection has two ends, and each believes in it until it learns better: because the peer's process dies (its
machine says so at once), because the peer closes, or because it has heard nothing for `keepalive` seconds (the peer
has lost power, is paused or out of reach). What arrives for an end that is closed is not heard. Left out: what flow
control does to the sender.
"""

from __future__ import annotations

from collections.abc import Callable

from ..kernel.node import Node
from ..kernel.world import World

SIGN_OF_LIFE = 8    # bytes of a heartbeat, a PING or a frame without content


class End:
    """One end of a connection."""

    def __init__(self, node: Node, peer: Node):
        self.node, self.peer, self.open = node, peer, True
        self.other: End
        self.link = node.world.network.link(node, peer)
        self.heard = node.world.now

    def send(self, kind: int, handler: Callable, message, size: int, *columns) -> int:
        """Has `handler(end, message, event)` called at the other end; the id of the event."""
        return self.link.send(kind, self.other._arrive, (handler, message), size, *columns)

    def _arrive(self, packet: tuple, event: int) -> None:
        if self.open:
            self.heard = self.node.world.now
            handler, message = packet
            handler(self, message, event)


class Server:
    """The side that accepts connections: one open end for each client. Subclasses say what follows from it."""

    def __init__(self, world: World, name: str, role: str, zone: str, keepalive: float):
        self.world, self.keepalive = world, keepalive
        self.node = world.node(name, role, zone)
        self.ends: dict[Node, End] = {}
        self.node.on_disconnect = self._lost
        self.PING = world.trace.kind("heartbeat", "send", "{node} tells {peer} that it is alive")
        self.CONNECTED = world.trace.kind("connected", "send", "{node} accepts the connection of {peer}")

    def on_connect(self, message: tuple[Client, int], event: int) -> None:
        """A client asks for a connection, having given up any older one and any earlier attempt."""
        client, attempt = message
        if attempt != client.attempt:
            return
        if client.node in self.ends:
            self._close(self.ends[client.node], event)
        end, far = End(self.node, client.node), End(client.node, self.node)
        end.other, far.other = far, end
        self.ends[client.node] = end
        end.send(self.CONNECTED, client._connected, attempt, SIGN_OF_LIFE, event)
        self.node.after(self.keepalive / 2, _keep_alive, end, self.keepalive, self.PING, self.close)
        self.accepted(end, client, event)

    def close(self, end: End, cause: int = -1) -> None:
        """Ends a connection and tells the client, if the network lets it."""
        if end.open:
            self._close(end, cause)
            self.world.network.disconnect(end.peer, self.node)

    def _close(self, end: End, cause: int) -> None:
        end.open = False
        del self.ends[end.peer]
        self.closed(end, cause)

    def forget(self) -> None:
        """The process has died, and all its connections with it."""
        for end in self.ends.values():
            end.open = False
        self.ends = {}

    def _lost(self, peer: Node) -> None:
        if peer in self.ends:
            self.close(self.ends[peer], peer.fault)

    def accepted(self, end: End, client: Client, event: int) -> None:
        """A connection is open."""

    def closed(self, end: End, cause: int) -> None:
        """A connection is over."""


class Client:
    """A process that keeps one connection to the server and tries again every `reconnect` seconds while it has none."""

    def __init__(self, world: World, name: str, role: str, zone: str, server: Server, reconnect: float):
        self.world, self.server, self.reconnect = world, server, reconnect
        self.node = world.node(name, role, zone)
        self.end: End | None = None
        self.attempt = 0
        self._retry = None
        self.node.on_start, self.node.on_disconnect, self.node.on_crash = self.connect, self._lost, self._crashed
        self.CONNECT = world.trace.kind("connect", "send", "{node} opens a connection to {peer}")

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

    def close(self, *_) -> None:
        """Gives the connection up; the next attempt comes after `reconnect` seconds."""
        if self.end is not None:
            self.end.open = False
            self.end = None
            self.disconnected()
            self._try_again()

    def _connected(self, end: End, attempt: int, event: int) -> None:
        if attempt != self.attempt:
            return
        self.end = end
        keepalive = self.server.keepalive
        self.node.after(keepalive / 2, _keep_alive, end, keepalive, self.server.PING, self.close)
        self.connected(event)

    def _lost(self, peer: Node) -> None:
        self.close()

    def _crashed(self, power_lost: bool) -> None:
        if self.end is not None:
            self.end.open = False
            self.end = None
        self.crashed()

    def connected(self, event: int) -> None:
        """The connection is open."""

    def disconnected(self) -> None:
        """The connection is over; the process lives on."""

    def crashed(self) -> None:
        """The process has died."""


def _keep_alive(end: End, keepalive: float, kind: int, close: Callable) -> None:
    """Twice in `keepalive` seconds: says that this end is alive, or closes it if the other has been silent so long."""
    if not end.open:
        return
    if end.node.world.now - end.heard > keepalive:
        close(end)
        return
    end.send(kind, _nothing, None, SIGN_OF_LIFE)
    end.node.after(keepalive / 2, _keep_alive, end, keepalive, kind, close)


def _nothing(*_) -> None:
    """A sign of life needs no answer."""
