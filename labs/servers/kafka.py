"""A real Apache Kafka on this machine, in KRaft mode: nodes to kill by process id, pause, stop and start again.

    with kafka.single() as node: ...                      # one process, broker and controller in one
    with kafka.cluster(controllers=3, brokers=3) as six:  # six processes
        six.create_topic("orders", partitions=3)
        six.kill(six.leader("orders", 0))

Clients need nothing but `bootstrap`. Every node listens on loopback only; its data, its configuration and its log are
in the sandbox's folder. Where Kafka itself comes from: kafka_install.py.

All settings are Kafka's defaults except those in `SMALL`, which make a cluster of six fit on a laptop, and what
`settings` says. Measured on two cores (Kafka 4.4.0, Java 17): one node is formatted and ready after 3 s and takes
150 MB of memory; three controllers and three brokers are
ready after 12 s and take 0.8 GB together; killed all at once and started again they are back after 19 s.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import socket
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from .kafka_install import Container, installation
from .process import HOST, Sandbox, Server, free_ports, wait_until

LOGGER = logging.Logger("librdkafka", logging.CRITICAL + 1)  # dead brokers are the lesson, not news for standard error
SMALL = {
    "auto.create.topics.enable": "false",
    "offsets.topic.num.partitions": 4,  # 50 each by default, and a first client waits until all have leaders
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.num.partitions": 4,
    "log.cleaner.dedupe.buffer.size": 4 << 20,  # 128 MB by default, half of our heap
    "group.initial.rebalance.delay.ms": 0,  # 3 s by default, so that a whole deployment joins first
    "group.min.session.timeout.ms": 1000,  # what a client may ask for; 6 s by default
    "group.consumer.min.session.timeout.ms": 1000,
    "group.consumer.min.heartbeat.interval.ms": 100,
    "group.share.min.record.lock.duration.ms": 1000,
}


@dataclass
class Node:
    """One Kafka process: its roles, its ports and the process it currently is."""

    name: str
    id: int
    roles: str  # "broker", "controller" or "broker,controller"
    ports: dict[str, int]  # a port for PLAINTEXT (clients and brokers), one for CONTROLLER
    directory: str  # the id of its data folder, by which KRaft tells voters apart (KIP-853)
    server: Server | None = field(default=None, repr=False)

    @property
    def alive(self) -> bool:
        return self.server is not None and self.server.alive

    @property
    def is_broker(self) -> bool:
        return "broker" in self.roles

    @property
    def address(self) -> str:
        """Where clients reach a broker."""
        return f"{HOST}:{self.ports['PLAINTEXT']}"

    def answers(self) -> bool:
        """Whether the node accepts connections on every port; a broker does so only once the controller lets it."""
        return all(_accepts(port) for port in self.ports.values())


class KafkaCluster:
    """`controllers` and `brokers` as processes of their own, or `combined` nodes that are both.

    `settings` are added to every node's server.properties (a value of None removes a setting of `SMALL`); `heap` is
    each process's -Xmx, `jvm` are more options of Java. `events` lists (time.monotonic(), what was done, node).
    """

    def __init__(self, brokers: int = 3, controllers: int = 3, *, combined: bool = False, settings: dict | None = None,
                 heap: str = "256m", jvm: tuple[str, ...] = (), quiet: bool = False):
        if controllers not in (1, 3, 5):
            raise ValueError(f"controllers: {controllers!r} is not 1, 3 or 5; an even number tolerates no more deaths")
        if not 1 <= brokers <= 9:
            raise ValueError(f"brokers: {brokers!r} is not between 1 and 9, and each is a process of {heap} and more")
        self.nodes = _combined(brokers) if combined else _separate(brokers, controllers)
        self.settings, self.heap, self.jvm, self.quiet = dict(settings or {}), heap, jvm, quiet
        self.id = _random_id()
        self.events: list[tuple[float, str, str]] = []
        self.sandbox: Sandbox | None = None

    @property
    def brokers(self) -> list[str]:
        """The names of the nodes that serve clients."""
        return [node.name for node in self.nodes.values() if node.is_broker]

    @property
    def controllers(self) -> list[str]:
        """The names of the nodes that vote on metadata."""
        return [node.name for node in self.nodes.values() if "controller" in node.roles]

    @property
    def bootstrap(self) -> str:
        """Where clients may connect: `bootstrap.servers`."""
        return ",".join(self.nodes[name].address for name in self.brokers)

    # Starting and ending

    def start(self) -> KafkaCluster:
        """Formats every node's folder, starts the nodes and waits until all brokers serve clients."""
        if self.sandbox:
            raise RuntimeError("the cluster has been started already; stop() it first")
        self.kafka = installation()
        if self.kafka.archive and not self.kafka.archive.exists() and not self.jvm:
            _remember_classes(self.kafka.archive)
        self.sandbox = Sandbox()
        try:
            self._say(f"Apache Kafka from {self.kafka.source}")
            self._format()
            self._start(self.nodes)
            self.admin = AdminClient({"bootstrap.servers": self.bootstrap, "logger": LOGGER})
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Ends every node and removes its data."""
        if self.sandbox:
            self.admin = None
            for node in self.nodes.values():
                if node.alive:
                    node.server.kill()  # the data goes anyway, and six polite farewells take ten seconds
            self.sandbox.close()
            self.sandbox = None

    def __enter__(self) -> KafkaCluster:
        return self.start()

    def __exit__(self, *exception) -> None:
        self.stop()

    def _format(self) -> None:
        """kafka-storage format for every node, two at a time: its folder gets the cluster's id and the first voters."""
        started, waiting, running = time.monotonic(), list(self.nodes.values()), {}
        while waiting or running:
            while waiting and len(running) < 2:
                node = waiting.pop()
                self._config(node).write_text(self.properties(node.name))
                running[node.name] = self._run(node, f"{node.name}-format", "kafka.tools.StorageTool",
                                               *self.format_arguments(node.name))
            time.sleep(0.02)
            for name, server in list(running.items()):
                if not server.alive:
                    del running[name]
                    if server.process.returncode:
                        raise RuntimeError(f"{name} could not be formatted:\n{server.log_tail()}")
        seconds = time.monotonic() - started
        self._say(f"formatted {len(self.nodes)} data folder(s) for cluster {self.id} in {seconds:.1f} s")

    def _start(self, names) -> None:
        for name in names:
            node = self.nodes[name]
            node.server = self._run(node, name, "kafka.Kafka", str(self._config(node)))

    def _run(self, node: Node, name: str, main: str, *arguments: str) -> Server:
        (self.sandbox.folder / "alive").touch()  # for containers: gone with the folder
        label = f"{self.sandbox.folder.name}-{name}"
        jvm = self.jvm if main == "kafka.Kafka" else ()
        command = self.kafka.command(main, *arguments, name=label, folder=self.sandbox.folder, heap=self.heap, jvm=jvm)
        server = self.sandbox.start(name, command)
        if self.kafka.container:
            server = self.sandbox.servers[name] = Container(label, server.process, server.log)
        return server

    def wait_ready(self, *names: str, timeout: float = 300.0) -> float:
        """Seconds until these nodes (all, if none is named) answer and their brokers are in the clients' metadata."""
        started, nodes = time.monotonic(), [self.nodes[name] for name in names or self.nodes]
        for node in nodes:
            node.server.wait_ready(node.answers, timeout - (time.monotonic() - started))
            self._say(f"  {node.name} (pid {node.server.pid}) answers after {time.monotonic() - started:.1f} s")
        ids = {node.id for node in nodes if node.is_broker}
        left = timeout - (time.monotonic() - started)
        wait_until(lambda: ids <= self._broker_ids(), left, "all brokers to be in the metadata")
        return time.monotonic() - started

    # What the nodes say

    def leader(self, topic: str, partition: int = 0, timeout: float = 120.0) -> str:
        """The name of the broker that leads a partition, once one does that runs."""
        found = []

        def leads() -> bool:
            found[:] = filter(None, [self._partition(topic, partition)])
            return bool(found) and found[0].leader in self._running_ids()
        wait_until(leads, timeout, f"a leader of {topic}-{partition}", every=0.1)
        return self._name(found[0].leader)

    def in_sync(self, topic: str, partition: int = 0) -> list[str]:
        """The in-sync replicas of a partition, by name."""
        found = self._partition(topic, partition)
        return sorted(self._name(id) for id in found.isrs) if found else []

    def wait_in_sync(self, topic: str, replicas: int, timeout: float = 120.0) -> float:
        """Seconds until every partition of a topic has a leader and this many in-sync replicas."""
        def synced() -> bool:
            found = self._metadata(topic)
            return bool(found) and all(p.leader >= 0 and len(p.isrs) >= replicas for p in found.values())
        return wait_until(synced, timeout, f"{replicas} in-sync replicas of {topic}", every=0.1)

    def active_controller(self, timeout: float = 120.0) -> str:
        """The controller that leads the metadata quorum, as the running voters wrote it down in `quorum-state`."""
        wait_until(lambda: self._quorum()[1] in self._running_ids(), timeout, "a leader of the metadata quorum")
        return self._name(self._quorum()[1])

    def _quorum(self) -> tuple[int, int]:
        """The latest (epoch, leader's id) of the metadata log that a running controller knows."""
        states = [self._data(self.nodes[name]) / "__cluster_metadata-0" / "quorum-state" for name in self.controllers
                  if self.nodes[name].alive]
        known = [json.loads(text) for state in states if state.exists() and (text := state.read_text())]
        return max(((state["leaderEpoch"], state["leaderId"]) for state in known), default=(-1, -1))

    def create_topic(self, topic: str, partitions: int = 1, replication: int | None = None, *, leader: str = "",
                     timeout: float = 120.0, **config) -> None:
        """A new topic, on up to three brokers; settings with underscores for dots (`min_insync_replicas=2`).

        `leader` is the broker that shall lead every partition to begin with; otherwise Kafka spreads them.
        """
        replication = replication or min(3, len(self.brokers))
        settings = {name.replace("_", "."): str(value) for name, value in config.items()}
        new = NewTopic(topic, partitions, replication, config=settings)
        if leader:
            first = sorted(self.brokers, key=lambda name: name != leader)[:replication]  # the first replica leads
            new = NewTopic(topic, partitions, replica_assignment=[[self.nodes[name].id for name in first]] * partitions,
                           config=settings)
        wait_until(lambda: self._creates(new, timeout), timeout, f"enough brokers for {topic}", every=0.5)
        self.wait_in_sync(topic, replication, timeout)

    def _creates(self, new: NewTopic, timeout: float) -> bool:
        """Whether a topic has been created; not while brokers are fenced that only were slow to say that they live."""
        try:
            self.admin.create_topics([new], operation_timeout=timeout)[new.topic].result(timeout)
        except KafkaException as refusal:
            if refusal.args[0].code() != KafkaError.INVALID_REPLICATION_FACTOR:
                raise
            return False
        return True

    def _metadata(self, topic: str) -> dict:
        try:
            return self.admin.list_topics(topic, timeout=2).topics[topic].partitions
        except KafkaException:  # nobody there, for now
            return {}

    def _partition(self, topic: str, partition: int):
        return self._metadata(topic).get(partition)

    def _broker_ids(self) -> set[int]:
        try:
            return set(self.admin.list_topics(timeout=2).brokers)
        except KafkaException:
            return set()

    def _running_ids(self) -> set[int]:
        return {node.id for node in self.nodes.values() if node.alive}

    def _name(self, id: int) -> str:
        return next(node.name for node in self.nodes.values() if node.id == id)

    def memory(self) -> dict[str, int]:
        """Bytes of memory each running node takes (Linux only; its resident set)."""
        return {node.name: int(Path(f"/proc/{node.server.pid}/statm").read_text().split()[1]) * 4096
                for node in self.nodes.values() if node.alive}

    # What can happen to a node

    def kill(self, *names: str) -> None:
        """SIGKILL to each node's process: it ends at once and tells nobody."""
        for name in names:
            self._act(name, "killed", f"SIGKILL to pid {self._server(name).pid}", self._server(name).kill)

    def terminate(self, name: str) -> None:
        """SIGTERM to the node: a broker hands over what it leads (controlled shutdown), then ends."""
        server = self._server(name)
        self._act(name, "asked to stop", f"SIGTERM to pid {server.pid}", lambda: server.stop(patience=30))

    def pause(self, *names: str) -> None:
        """SIGSTOP to each node: frozen, with every connection open."""
        for name in names:
            self._act(name, "paused", "SIGSTOP", self._server(name).pause)

    def resume(self, *names: str) -> None:
        """SIGCONT to paused nodes."""
        for name in names:
            self._act(name, "resumed", "SIGCONT", self._server(name).resume)

    def restart(self, *names: str, timeout: float = 300.0) -> float:
        """Starts nodes that have ended, with the data they had; seconds until they serve again."""
        for name in names:
            if self._server(name).alive:
                pid = self._server(name).pid
                raise ValueError(f"name: {name} is still running (pid {pid}); kill or terminate it first")
        self._start(names)
        self.events += [(time.monotonic(), "restarted", name) for name in names]
        return self.wait_ready(*names, timeout=timeout)

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

    # server.properties, and the arguments of kafka-storage

    def properties(self, name: str) -> str:
        """A node's server.properties."""
        node, copies = self.nodes[name], min(3, len(self.brokers))
        voters = ",".join(f"{HOST}:{self.nodes[voter].ports['CONTROLLER']}" for voter in self.controllers)
        clients = f"PLAINTEXT://{HOST}:{node.ports.get('PLAINTEXT')}"
        own = {"process.roles": node.roles, "node.id": node.id, "log.dirs": self._data(node).as_posix(),
               "listeners": ",".join(f"{name}://{HOST}:{port}" for name, port in node.ports.items()),
               "controller.listener.names": "CONTROLLER",
               "controller.quorum.bootstrap.servers": voters}
        if node.is_broker:
            own["advertised.listeners"] = clients
        replicated = {"default.replication.factor": copies, "offsets.topic.replication.factor": copies}
        for topic in ("transaction.state.log", "share.coordinator.state.topic"):
            replicated |= {f"{topic}.replication.factor": copies, f"{topic}.min.isr": min(2, copies)}
        lines = own | replicated | SMALL | self.settings
        return "".join(f"{key}={value}\n" for key, value in lines.items() if value is not None)

    def format_arguments(self, name: str) -> list[str]:
        """What follows `kafka-storage format`: the cluster's id, and for controllers the first voters (KIP-853)."""
        node = self.nodes[name]
        voters = ",".join(f"{voter.id}@{HOST}:{voter.ports['CONTROLLER']}:{voter.directory}"
                          for voter in map(self.nodes.get, self.controllers))
        first = ["--initial-controllers", voters] if name in self.controllers else ["--no-initial-controllers"]
        return ["format", "--cluster-id", self.id, "--config", str(self._config(node)), *first]

    def _config(self, node: Node) -> Path:
        return self.sandbox.folder / f"{node.name}.properties"

    def _data(self, node: Node) -> Path:
        return self.sandbox.folder / node.name


def single(**options) -> KafkaCluster:
    """One combined node: broker and controller in one process."""
    return KafkaCluster(1, 1, combined=True, **options)


def cluster(controllers: int = 3, brokers: int = 3, **options) -> KafkaCluster:
    """Controllers and brokers as separate processes, as in production."""
    return KafkaCluster(brokers, controllers, **options)


def _remember_classes(archive: Path) -> None:
    """Java's archive of Kafka's classes, written once, when a node that was started for this ends in good order."""
    own = archive.with_suffix(f".{os.getpid()}")
    with single(jvm=(f"-XX:ArchiveClassesAtExit={own}",), quiet=True) as node:
        node.terminate("node-1")
    if own.exists():
        own.rename(archive)


def _combined(count: int) -> dict[str, Node]:
    ports = free_ports(2 * count)
    return {f"node-{i + 1}": Node(f"node-{i + 1}", i + 1, "broker,controller",
                                  {"PLAINTEXT": ports[2 * i], "CONTROLLER": ports[2 * i + 1]}, _random_id())
            for i in range(count)}


def _separate(brokers: int, controllers: int) -> dict[str, Node]:
    ports = free_ports(brokers + controllers)
    nodes = [Node(f"controller-{i + 1}", 101 + i, "controller", {"CONTROLLER": ports.pop()}, _random_id())
             for i in range(controllers)]
    nodes += [Node(f"broker-{i + 1}", i + 1, "broker", {"PLAINTEXT": ports.pop()}, _random_id())
              for i in range(brokers)]
    return {node.name: node for node in nodes}


def _random_id() -> str:
    """What `kafka-storage random-uuid` prints: 16 random bytes, base64 for file names, never beginning with a dash."""
    text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    return text if not text.startswith("-") else _random_id()


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0
