"""TCP connections between clients and one server, as brokers that push need them.

While the network is cut, what is sent waits in the socket and goes out when the network heals: TCP sends it again
until somebody gives up. An end gives up when its peer's process dies (the other machine says so at once), when its
peer closes, or when it has heard nothing for `keepalive` seconds (its peer has lost power, is paused or out of
reach). Left out: handshakes below the protocol's own, and what flow control does to the sender.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from ..kernel.node import Node
from ..kernel.world import World

SIGN_OF_LIFE = 8    # bytes of a heartbeat, a PING or a frame without content
RETRANSMIT = 0.2    # seconds until TCP tries again (Linux: 0.2 s, then doubling; here it stays)


class End:
    """One end of a connection: `send` until it is closed; what arrives later is not heard."""

    def __init__(self, node: Node, peer: Node):
        self.node, self.peer, self.open = node, peer, True
        self.other: End
        self.link = node.world.network.link(node, peer)
        self.heard = node.world.now
        self._unsent: deque[tuple] = deque()

    def send(self, kind: int, handler: Callable, message, size: int, *columns) -> int:
        """Calls `handler(end, message, event)` at the other end; the event's id, -1 if the network makes it wait."""
        if self._unsent or self._cut():
            if not self._unsent:
                self.node.after(RETRANSMIT, self._retransmit)
            self._unsent.append((kind, handler, message, size, columns))
            return -1
        return self.link.send(kind, self.other._arrive, (handler, message), size, *columns)

    def _cut(self) -> bool:
        network = self.node.world.network
        rule = network.rule_for(self.node.name, self.peer.name) if network.rules else None
        return rule is not None and rule.drop

    def _retransmit(self) -> None:
        if self.open and self._cut():
            self.node.after(RETRANSMIT, self._retransmit)
        while self.open and self._unsent and not self._cut():
            kind, handler, message, size, columns = self._unsent.popleft()
            self.link.send(kind, self.other._arrive, (handler, message), size, *columns)

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

    def on_connect(self, client: Client, event: int) -> None:
        """A client asks for a connection; an older one of the same client is over."""
        if client.node in self.ends:
            self.close(self.ends[client.node], event)
        end, far = End(self.node, client.node), End(client.node, self.node)
        end.other, far.other = far, end
        self.ends[client.node] = end
        end.send(self.CONNECTED, client._connected, None, SIGN_OF_LIFE, event)
        self.node.after(self.keepalive / 2, _keep_alive, end, self.keepalive, self.PING, self.close)
        self.accepted(end, client, event)

    def close(self, end: End, cause: int = -1) -> None:
        """Ends a connection and lets the client know, if the network does."""
        if end.open:
            end.open = False
            del self.ends[end.peer]
            self.closed(end, cause)
            self.world.network.disconnect(end.peer, self.node)

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
        self._attempt = None
        self.node.on_start, self.node.on_disconnect, self.node.on_crash = self.connect, self._lost, self._crashed
        self.CONNECT = world.trace.kind("connect", "send", "{node} opens a connection to {peer}")

    def connect(self) -> None:
        """Asks the server for a connection, again and again until it has one."""
        if self.end is None:
            link = self.world.network.link(self.node, self.server.node)
            link.send(self.CONNECT, self.server.on_connect, self, SIGN_OF_LIFE, self.node.fault)
            self._try_again()

    def _try_again(self) -> None:
        if self._attempt is not None:
            self._attempt.cancel()
        self._attempt = self.node.after(self.reconnect, self.connect)

    def close(self, *_) -> None:
        """Gives the connection up; the next attempt comes after `reconnect` seconds."""
        if self.end is not None:
            self.end.open = False
            self.end = None
            self.disconnected()
            self._try_again()

    def _connected(self, end: End, message, event: int) -> None:
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
