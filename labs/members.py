"""Real consumer groups, one process a member, and their evidence in the words of the simulated ones.

A group is described by the very object that describes a simulated one, `kafka.Group`; `settings` is the translation
of its fields into librdkafka's. What the members print becomes a Trace of the kinds that the model writes and a
History, so that `paused_partition_seconds`, `time_to_stable` and `duplicates` read both."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from labs.servers.process import Server, wait_until
from simulator.brokers.kafka.groups import Group
from simulator.brokers.kafka.groups.kinds import SENTENCES
from simulator.evidence.history import OK, History
from simulator.evidence.trace import Trace

from . import member_process

TOPIC = "orders"
STRATEGY = {"eager": "range", "static": "range", "cooperative": "cooperative-sticky"}
CALM = 0.3  # seconds without a change of ownership that count as stable


def settings(group: Group, member: str) -> dict:
    """librdkafka's names for what a group is configured with; sessions of KIP-848 groups are the broker's to set."""
    common = {"enable.auto.commit": True, "auto.commit.interval.ms": round(1000 * group.auto_commit_interval),
              "auto.offset.reset": "earliest", "log_level": 2}
    instance = {"group.instance.id": member} if group.static else {}
    if group.protocol == "consumer":
        return common | instance | {"group.protocol": "consumer"}
    return common | instance | {"session.timeout.ms": round(1000 * group.session_timeout),
                                "heartbeat.interval.ms": round(1000 * group.heartbeat),
                                "partition.assignment.strategy": STRATEGY[group.protocol]}


@dataclass
class Member:
    """One member: its process, and what it has printed so far."""

    name: str
    server: Server | None = field(default=None, repr=False)
    told: list[dict] = field(default_factory=list, repr=False)
    read_to: int = 0

    def listen(self) -> list[dict]:
        """All lines of the log so far; librdkafka's own are left out."""
        if self.server:
            with open(self.server.log, "rb") as log:
                log.seek(self.read_to)
                news = log.read().rpartition(b"\n")[0]
            self.read_to += len(news) + 1 if news else 0
            self.told += [json.loads(line) for line in news.splitlines() if line.startswith(b"{")]
        return self.told


class Members:
    """A group of processes on a running cluster (its `bootstrap`); they live in its `sandbox` and end with it."""

    def __init__(self, cluster, group: Group, name: str = "group", topic: str = TOPIC):
        self.cluster, self.group, self.name, self.topic = cluster, group, name, topic
        self.members: dict[str, Member] = {}
        self.crashes: list[tuple[float, str]] = []

    # What can happen to a member

    def start(self, *names: str) -> None:
        """Members start, or start again."""
        for name in names:
            member = self.members.setdefault(name, Member(name))
            config = {"bootstrap.servers": self.cluster.bootstrap, "group.id": self.name, "client.id": name}
            config = {"topic": self.topic, "settings": config | settings(self.group, name)}
            command = [sys.executable, "-E", str(Path(member_process.__file__)), json.dumps(config)]
            member.server = self.cluster.sandbox.start(f"{self.name}-{name}", command)

    def stop(self, name: str) -> None:
        """The member closes: it commits, gives up its partitions and leaves, unless it is static."""
        self._running(name).server.stop(wait=False)

    def wait_gone(self, name: str) -> float:
        """Seconds until a member that was asked to stop has closed."""
        return wait_until(lambda: not self.members[name].server.alive, 120, f"{name} to close")

    def kill(self, name: str) -> None:
        """SIGKILL: the member is gone and nobody is told."""
        member = self._running(name)
        self.crashes.append((time.monotonic(), name))
        member.server.kill()

    def _running(self, name: str) -> Member:
        running = [member for member, known in self.members.items() if known.server.alive]
        if name not in running:
            raise ValueError(f"name: {name!r} is not a running member; {', '.join(running) or 'none'} is")
        return self.members[name]

    # What they say

    def owners(self) -> dict[int, list[str]]:
        """Who owns each partition at the moment, as far as the members themselves know."""
        owners: dict[int, list[str]] = {key: [] for key in range(self.group.partitions)}
        for _, kind, name, line in self._events():
            for key in line.get("keys", owners) if kind in ("assigned", "revoked", "left_behind", "crash") else ():
                if kind == "assigned":
                    owners[key].append(name)
                elif name in owners[key]:
                    owners[key].remove(name)
        return owners

    def stable(self, calm: float = CALM) -> bool:
        """Whether every partition has one owner, every running member has a share, and that for a while."""
        owners = self.owners()
        changes = [when for when, kind, _, _ in self._events() if kind not in ("deliver", "committed", "refused")]
        shares = {name for of in owners.values() for name in of}
        running = {name for name, member in self.members.items() if member.server.alive}
        owned_once = shares == running and all(len(of) == 1 for of in owners.values())
        return owned_once and time.monotonic() - max(changes) > calm

    def wait_stable(self, timeout: float = 120.0) -> float:
        """Seconds until the group is stable."""
        try:
            return wait_until(self.stable, timeout, f"a stable group {self.name}", every=0.1)
        except TimeoutError as late:
            raise TimeoutError(f"{late}; owners are {self.owners()}") from None

    def _events(self) -> list[tuple[float, str, str, dict]]:
        """(time, what, member, line) in the order in which they happened."""
        told = [(line["time"], line["what"], name, line)
                for name, member in self.members.items() for line in member.listen()]
        return sorted(told + [(when, "crash", name, {}) for when, name in self.crashes], key=lambda event: event[0])

    def trace(self, since: float) -> Trace:
        """The group's life as a trace of the model's kinds; `since` is the time.monotonic() that becomes 0."""
        trace = Trace()
        kinds = {name: trace.kind(name, *how) for name, how in SENTENCES.items()}
        kinds["crash"] = trace.kind("crash", "state", "{node} is killed")
        nodes = {name: trace.node(name, "consumer") for name in sorted(self.members)}
        for key in range(self.group.partitions):
            trace.keys.code(f"{self.topic}-{key}")
        for when, kind, name, line in self._events():
            node, place = nodes[name], {"offset": line.get("offset", -1), "count": line.get("count", 0)}
            for key in line.get("keys", (-1,)):
                trace.add(when - since, kinds[kind], node, key=key, value=0, note=line.get("note", ""), **place)
        return trace

    def read(self, history: History, since: float) -> History:
        """Adds what members were handed to a history; a value is the offset, and each life of a member is a process."""
        lives: dict[str, int] = {}
        owned: dict[str, set[int]] = {}
        for when, kind, name, line in self._events():
            lives[name] = lives.get(name, 0) + (kind == "start")
            process, keys = f"{self.name}/{name}/{lives[name]}", set(line.get("keys", ()))
            if kind == "deliver":
                key = history.keys.code(f"{self.topic}-{line['keys'][0]}")
                history.polled(history.op(), history.processes.code(process), key, line["offset"], line["count"],
                               line["offset"], OK, when - since, when - since)
            elif kind in ("assigned", "revoked", "left_behind"):
                before = owned.get(process, set())
                owned[process] = before | keys if kind == "assigned" else before - keys
                history.subscribe(process, [f"{self.topic}-{key}" for key in sorted(owned[process])], when - since)
            elif kind == "crash":
                history.crash(process, when - since)
        return history
