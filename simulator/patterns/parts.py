"""What the patterns share: a running system with its evidence, and the broker that they publish to."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import TYPE_CHECKING

from ..evidence.history import FAIL, FINAL_READER, OK, UNKNOWN, History
from ..evidence.policy import Guarantees
from ..kernel.distributions import check, is_number, is_whole

if TYPE_CHECKING:
    from ..kernel.world import World
    from ..workload import Workload

TOPIC = "orders"
HEADERS = 100  # bytes of a request or an answer besides the record

PUBLISHING = {
    "publish": ("send", "{node} publishes order {value} to {peer}"),
    "published": ("send", "{node} confirms to {peer} that it has order {value}"),
    "append": ("local", "{node} appends order {value} to the topic, at offset {offset}"),
}


def seconds(config, name: str) -> None:
    """A duration that may be nothing."""
    value = getattr(config, name)
    check(name, value, is_number(value) and value >= 0, "a number of seconds, at least 0")


def positive(config, name: str) -> None:
    """A duration."""
    value = getattr(config, name)
    check(name, value, is_number(value) and value > 0, "a number of seconds, greater than 0")


def probability(config, name: str) -> None:
    """A share of cases."""
    value = getattr(config, name)
    check(name, value, is_number(value) and 0 <= value <= 1, "a probability from 0 to 1")


def whole(config, name: str, least: int) -> None:
    """A count."""
    value = getattr(config, name)
    check(name, value, is_whole(value) and value >= least, f"a whole number, at least {least}")


def one_of(config, name: str, *allowed) -> None:
    """One of the words."""
    value = getattr(config, name)
    check(name, value, value in allowed, f"one of {', '.join(map(repr, allowed))}")


def changes(config) -> str:
    """The fields that differ from their defaults, as one would type them."""
    return ", ".join(f"{f.name}={getattr(config, f.name)!r}" for f in fields(config)
                     if f.default is not MISSING and getattr(config, f.name) != f.default)


class System:
    """The running system of one pattern: its evidence, and who begins each order when the business makes it."""

    guarantees = Guarantees(idempotence=False, in_order=False)  # at least once, concurrent transactions in any order

    def __init__(self, config, world: World, workload: Workload, sentences: dict, keys=(TOPIC,)):
        self.config, self.world, self.workload = config, world, workload
        self.kinds = {name: world.trace.kind(name, *how) for name, how in sentences.items()}
        self.history = History()
        self.keys = {key: world.trace.keys.code(key) for key in keys}
        for key in keys:
            self.history.keys.code(key)
        self.size = workload.record_bytes + HEADERS
        self.times = workload.arrival_times(world.stream("workload/arrivals"))
        self.history.created = {self.history.keys.code(key): self.times for key in keys}
        self.begun: dict[int, tuple[int, float, int]] = {}  # order: operation, when, event
        self.made = 0
        self._plan()

    def _plan(self) -> None:
        if self.made < len(self.times):
            self.world.at(float(self.times[self.made]), self._make)

    def _make(self) -> None:
        self.made += 1
        self.begin(self.made - 1)
        self._plan()

    def begin(self, value: int) -> None:
        """The business makes an order."""
        raise NotImplementedError

    def began(self, value: int, event: int) -> None:
        """Somebody has taken the order on: from now on it counts as tried."""
        self.begun[value] = (self.history.op(), self.world.now, event)

    def note(self, node, kind: str, cause: int = -1, value: int = -1, key: str = TOPIC, offset: int = -1,
             count: int = 1, peer=None, text: str = "") -> int:
        """Writes what happened at a node into the trace."""
        other = peer.code if peer else -1
        return self.world.trace.add(self.world.now, self.kinds[kind], node.code, other, self.keys[key], cause, offset,
                                    count, -1, value, text)

    def send(self, source, target, kind: str, handler, message, cause: int = -1, value: int = -1, count: int = 1,
             key: str = TOPIC, size: int | None = None) -> int:
        """A message from node to node; `handler(message, event)` is called when it arrives."""
        link = self.world.network.link(source, target)
        return link.send(self.kinds[kind], handler, message, size or self.size, cause, self.keys[key], -1, count, -1,
                         value)

    def stored(self, value: int, type: int = OK, process: str = "database", error: str = "") -> None:
        """An order is committed, or never will be: the word of the database counts, whatever its client heard."""
        op, invoked, event = self.begun.pop(value)
        history = self.history
        history.sent(op, history.processes.code(process), 0, value, 1, UNKNOWN, type, history.errors.code(error),
                     invoked, self.world.now, event)

    def saw(self, process: str, key: str, value: int, offset: int, event: int = -1) -> None:
        """A reader of the topic, or of the read model, has seen a record."""
        history, now = self.history, self.world.now
        history.polled(history.op(), history.processes.code(process), history.keys.code(key), value, 1, offset, OK, now,
                       now, event)

    def close(self, contents: dict[str, list[int]]) -> None:
        """What was begun and not stored has failed; the final reader reads what there is."""
        for value in list(self.begun):
            self.stored(value, FAIL, error="never committed")
        self.history.assign(FINAL_READER, contents, self.world.now)
        for key, values in contents.items():
            for offset, value in enumerate(values):
                self.saw(FINAL_READER, key, value, offset)
        self.history.drained = True


class Broker:
    """A topic on a broker that answers at once and forgets nothing, read by a subscriber without delay."""

    def __init__(self, system: System):
        self.system, self.node, self.topic = system, system.world.node("broker", "broker"), []

    def on_publish(self, message, event: int) -> None:
        """Appends the order and confirms it; `message` is (order, who asked, what to call there)."""
        value, publisher, confirmed = message
        system, offset = self.system, len(self.topic)
        self.topic.append(value)
        appended = system.note(self.node, "append", event, value, offset=offset)
        system.saw("subscriber", TOPIC, value, offset, appended)
        if confirmed:
            system.send(self.node, publisher, "published", confirmed, value, appended, value, size=HEADERS)
