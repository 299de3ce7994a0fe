"""Producers and consumers: each talks to one agent, of its own zone if one lives there, to another when it fails."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...evidence.history import INFO, OK, UNKNOWN
from .files import OVERHEAD, Batch, Entry, Request

if TYPE_CHECKING:
    from .system import WarpStreamSystem

BACKOFF = 0.1   # seconds before anything is tried again (retry.backoff.ms)


class Client:
    """A process with an agent of its choice."""

    def __init__(self, system: WarpStreamSystem, name: str, role: str, number: int):
        self.system, self.world, self.kinds, self.config = system, system.world, system.kinds, system.config
        self.history, self.number = system.history, number
        self.node = self.world.node(f"{name}-{number + 1}", role, system.config.zone(number))
        self.process = self.history.processes.code(self.node.name)
        self.node.on_disconnect = self._disconnected
        self.turn = number // system.config.zones     # spread over the agents of a zone
        self._chance = self.world.stream(f"{self.node.name}/agent")
        self.agent = self._choose()

    def _choose(self, but=None):
        """The next agent that is up and is not the one that just failed: in this zone if there is one."""
        agents = self.system.agents
        up = [agent for agent in agents if agent.node.up and agent is not but] or agents
        near = [agent for agent in up if agent.node.zone == self.node.zone] if self.config.zone_aligned else []
        return near[self.turn % len(near)] if near else up[int(self._chance.uniforms(1)[0] * len(up))]

    def _disconnected(self, peer) -> None:
        if peer is self.agent.node:
            self.failed("the connection is gone", peer.fault)

    def failed(self, why: str, cause: int) -> None:
        """What follows when the agent does not do what it was asked."""
        raise NotImplementedError


class Producer(Client):
    """Sends what has lingered, a request at a time; after a failure it sends everything unanswered again, in order."""

    def __init__(self, system: WarpStreamSystem, number: int, created: list[np.ndarray], first: list[int]):
        super().__init__(system, "producer", "producer", number)
        self.created, self.first = [memoryview(times) for times in created], first
        self.cursor, self.base = [0] * len(created), [0] * len(created)
        self.times = memoryview(np.sort(np.concatenate(created)))
        self.sent, self.attempt, self.epoch = 0, 0, 0
        self.flying: deque[Request] = deque()
        self.waiting = False    # for another attempt, which takes everything along
        self.node.on_start, self.node.on_crash = self._started, self._crashed
        self.timer = None
        self._plan()

    @property
    def done(self) -> bool:
        """Whether every record was sent and its fate is known."""
        return self.sent == len(self.times) and not self.flying

    def _plan(self) -> None:
        """Sets the timer to when the oldest record has lingered; none while too much is unanswered."""
        if self.timer is None and self.sent < len(self.times) and len(self.flying) < self.config.max_in_flight:
            due = self.times[self.sent] + self.config.linger
            self.timer = self.node.after(max(due - self.world.now, 0.0), self._send)

    def _send(self) -> None:
        self.timer = None
        batches = self._batches()
        request = Request(self, self.attempt, batches, sum(batch.size for batch in batches), self.node.incarnation)
        self.flying.append(request)
        if not self.waiting:
            self._transmit(request)
        self._plan()

    def _batches(self) -> list[Batch]:
        """All records that exist by now, a batch a partition."""
        batches, now, size = [], self.world.now, self.system.workload.record_bytes
        for key, created in enumerate(self.created):
            start = self.cursor[key]
            count = bisect_right(created, now, start) - start
            if count:
                self.cursor[key] += count
                self.sent += count
                batches.append(Batch(self.number, self.epoch, key, self.first[key] + start, start - self.base[key],
                                     count, count * size, self.history.op(), created[start]))
        return batches

    def _transmit(self, request: Request, cause: int = -1) -> None:
        request.attempt = self.attempt
        only = request.batches[0] if len(request.batches) == 1 else None
        copy = Request(self, self.attempt, request.batches, request.size, request.life)
        event = self.world.network.link(self.node, self.agent.node).send(
            self.kinds.produce, self.agent.on_produce, copy, request.size + OVERHEAD, cause, only.key if only else -1,
            -1, sum(batch.count for batch in request.batches), -1, only.value if only else -1)
        for batch in request.batches:
            batch.event = event
        self.node.after(self.config.request_timeout, self._timeout, request, self.attempt)

    def on_produced(self, message: tuple[Request, int, list[int] | None], event: int) -> None:
        """An answer; what belongs to an earlier attempt is ignored, since everything was sent again."""
        answered, attempt, offsets = message
        request = next((r for r in self.flying if r.batches is answered.batches), None)
        if attempt != self.attempt or request is None:
            return
        if offsets is None:
            self.failed("it could not be stored", event)
            return
        self.flying.remove(request)
        for batch, offset in zip(request.batches, offsets):
            self._record(batch, OK, offset, event)
        self._plan()

    def _record(self, batch: Batch, type: int, offset: int = UNKNOWN, event: int = -1) -> None:
        now = self.world.now
        self.history.sent(batch.op, self.process, batch.key, batch.value, batch.count, offset, type,
                          self.history.errors.code("unknown") if type != OK else 0, batch.invoked, now, batch.event)
        if type == OK:
            kind = self.kinds.acknowledged if offset >= 0 else self.kinds.accepted
            self.world.trace.add(now, kind, self.node.code, -1, batch.key, event, offset, batch.count, -1, batch.value)

    def _timeout(self, request: Request, attempt: int) -> None:
        if attempt == self.attempt and request in self.flying:
            self.failed("no answer in time", -1)

    def failed(self, why: str, cause: int) -> None:
        """Another agent, and all that is unanswered once more, in order."""
        self.attempt += 1
        self.turn += 1
        self.waiting = True
        self.agent = self._choose(but=self.agent)
        event = self.world.trace.add(self.world.now, self.kinds.retry, self.node.code, self.agent.node.code, -1, cause,
                                     -1, len(self.flying), -1, -1, why)
        self.node.after(BACKOFF, self._repeat, self.attempt, event)

    def _repeat(self, attempt: int, event: int) -> None:
        if attempt == self.attempt:
            self.waiting = False
            for request in self.flying:
                self._transmit(request, event)

    def _crashed(self, power_lost: bool) -> None:
        self.give_up()
        self.timer, self.waiting = None, False

    def _started(self) -> None:
        """A new life is a new epoch: what the last one left behind can no longer come in between."""
        self.epoch += 1
        self.base = list(self.cursor)
        self.attempt += 1
        self.agent = self._choose()
        self._plan()

    def give_up(self) -> None:
        """Nobody will know what became of the unanswered."""
        for request in self.flying:
            for batch in request.batches:
                self._record(batch, INFO)
        self.flying.clear()


@dataclass(slots=True, eq=False)
class Poll:
    """A consumer's question: what follows these positions?"""
    consumer: Consumer
    positions: dict[int, int]


class Consumer(Client):
    """Reads its partitions, one poll after the other."""

    def __init__(self, system: WarpStreamSystem, number: int, keys: list[int]):
        super().__init__(system, "consumer", "consumer", number)
        self.positions = dict.fromkeys(keys, 0)   # kept over a crash, as committed offsets are
        self.poll: Poll | None = None
        self.op = 0
        self._work = self.world.sampler(f"work/{self.node.name}", system.workload.work)
        self.busy = False
        self.node.on_start = self._started
        self.history.assign(self.node.name, [self.history.keys[key] for key in keys], self.world.now)
        self._ask()

    def _started(self) -> None:
        self.busy = False
        self.agent = self._choose()
        self._ask()

    def _ask(self, cause: int = -1) -> None:
        self.busy = False
        self.poll, self.op, self.asked = Poll(self, dict(self.positions)), self.history.op(), self.world.now
        link = self.world.network.link(self.node, self.agent.node)
        link.send(self.kinds.poll, self.agent.on_poll, self.poll, OVERHEAD, cause)
        self.node.after(self.config.request_timeout, self._timeout, self.poll)

    def on_polled(self, message: tuple[Poll, list[tuple[int, Entry]]], event: int) -> None:
        """Records, in the order of their offsets in each partition."""
        poll, found = message
        if poll is not self.poll:
            return
        work = 0.0
        for key, entry in found:
            self._deliver(key, entry, event)
            work += self._work() * entry.count
        self.busy = True
        self.node.after(work, self._ask, event)

    def _deliver(self, key: int, entry: Entry, event: int) -> None:
        now = self.world.now
        self.positions[key] = entry.offset + entry.count
        self.history.polled(self.op, self.process, key, entry.value, entry.count, entry.offset, OK,
                            self.asked, now, event)
        self.world.trace.add(now, self.kinds.deliver, self.node.code, -1, key, event, entry.offset, entry.count, -1,
                             entry.value)

    def _timeout(self, poll: Poll) -> None:
        if poll is self.poll and not self.busy:
            self.failed("no answer in time", -1)

    def failed(self, why: str, cause: int) -> None:
        """Another agent, after a moment."""
        self.turn += 1
        self.poll = None
        self.agent = self._choose(but=self.agent)
        self.node.after(BACKOFF, self._once_more, cause)

    def _once_more(self, cause: int) -> None:
        if self.poll is None:
            self._ask(cause)
