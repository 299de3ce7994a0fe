"""The same log on the model's object store: the same manifest and the same rules, in virtual time.

`place`, the commit's rule, is the very function that the real agents call. What differs is the store: requests take
what a `StoreProfile` says, be it measured a minute ago or published for Amazon S3. An agent flushes one file at a time.

Left out: agents that die, the pipes between producers and agents, the processor time of either.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from labs.object_log import Batch, Request, empty, place
from simulator.evidence.history import FINAL_READER, OK, UNKNOWN, History
from simulator.evidence.policy import Guarantees
from simulator.kernel.distributions import Lognormal
from simulator.kernel.objectstore import ObjectStore, StoreClient, StoreProfile, profile

if TYPE_CHECKING:
    from simulator import Workload
    from simulator.kernel.node import Node
    from simulator.kernel.world import World

MANIFEST = "manifest"
CLASSES = ("GET", "PUT", "CONDITIONAL PUT")


def measured_profile(requests: Iterable[Request]) -> StoreProfile:
    """A store whose requests take what these took: for each class the lognormal through median and 99th percentile."""
    times = {kind: [request.seconds for request in requests if request.kind == kind] for kind in CLASSES}
    get, put, conditional = (Lognormal.from_percentiles(*np.quantile(times[kind], (0.5, 0.99))) for kind in CLASSES)
    return StoreProfile(get=get, put=put, conditional_put=conditional, list=get, delete=put)


@dataclass(frozen=True)
class ManifestLog:
    """The log of `labs.object_log` and its producers; `store` is a profile or a name in `objectstores.toml`."""
    agents: int = 2
    partitions: int = 3
    batch_timeout: float = 0.25
    linger: float = 0.025
    store: StoreProfile | str = "s3-standard"

    def build(self, world: World, workload: Workload) -> LogSystem:
        """The running system in this world."""
        return LogSystem(self, world, workload)

    def __str__(self) -> str:
        return f"a manifest on {self.store if isinstance(self.store, str) else 'a measured store'}"


class LogSystem:
    """One run: a store, agents, a producer for each, and a reader at the end."""

    guarantees = Guarantees()

    def __init__(self, config: ManifestLog, world: World, workload: Workload):
        self.config, self.world, self.record_bytes = config, world, workload.record_bytes
        self.store = ObjectStore(world, profile(config.store) if isinstance(config.store, str) else config.store)
        self.history, self.keys = History(), [f"orders-{number}" for number in range(config.partitions)]
        for key in self.keys:
            self.history.keys.code(key)
        self.times = workload.arrival_times(world.stream("workload/arrivals"))
        self.due = 0                                    # how many records have been sent
        self.sent = dict.fromkeys(self.keys, 0)         # and of each key
        self.where = cycle(self.keys)
        self.created: dict[str, list[float]] = {key: [] for key in self.keys}
        self.agents = [ModelAgent(self, world.node(f"agent-{n + 1}", "broker", "region")) for n in range(config.agents)]
        for number, agent in enumerate(self.agents):
            self._turn(agent, f"producer-{number + 1}", dict.fromkeys(self.keys, 0), world.stream(f"turns/{number}"))

    def _turn(self, agent: ModelAgent, producer: str, sequences: dict[str, int], chance) -> None:
        """A producer sends what has fallen due, and waits for its next turn."""
        until = int(np.searchsorted(self.times, self.world.now, "right"))
        for time in self.times[self.due:until]:
            self.created[next(self.where)].append(float(time))
        self.due, batches = until, []
        for key, created in self.created.items():
            if len(created) > self.sent[key]:
                values, self.sent[key] = tuple(range(self.sent[key], len(created))), len(created)
                batches.append((self.history.op(), self.world.now, Batch(producer, key, sequences[key], values)))
                sequences[key] += 1
        if batches:
            agent.append(batches)
        if self.due < len(self.times):
            wait = self.config.linger * (0.5 + chance.uniforms(1)[0])
            self.world.after(wait, self._turn, agent, producer, sequences, chance)

    def acknowledge(self, waiting: list[tuple[int, float, Batch]], offsets: list[int]) -> None:
        """The producers learn where their batches lie."""
        history = self.history
        for (op, invoked, batch), offset in zip(waiting, offsets):
            history.sent(op, history.processes.code(batch.producer), history.keys.code(batch.key), batch.values[0],
                         len(batch.values), max(offset, UNKNOWN), OK, 0, invoked, self.world.now)

    def quiet(self) -> bool:
        """Whether every record has been sent and answered."""
        return self.due == len(self.times) and not any(agent.buffer or agent.busy for agent in self.agents)

    def finish(self) -> None:
        """The final reader follows the manifest from its beginning."""
        self.history.created = {code: np.array(times) for code, times in enumerate(self.created.values())}
        state = self.store.objects[MANIFEST].body
        for name, offsets in state["files"].items():
            for batch, offset in zip(self.store.objects[name].body, offsets):
                self.history.poll(FINAL_READER, {batch.key: list(enumerate(batch.values, offset))}, time=self.world.now)
        self.history.drained = True


class ModelAgent:
    """Collects for a while, PUT, GET of the manifest, conditional PUT, again if somebody else was faster."""

    def __init__(self, system: LogSystem, node: Node):
        self.system, self.node, self.client = system, node, StoreClient(node, system.store)
        self.buffer: list[tuple[int, float, Batch]] = []
        self.busy, self.files, self.first = False, 0, 0.0

    def append(self, batches: list[tuple[int, float, Batch]]) -> None:
        """Batches join the buffer; the first one sets the time of the next file."""
        if not self.buffer:
            self.first = self.system.world.now
            if not self.busy:
                self._plan()
        self.buffer += batches

    def _plan(self) -> None:
        due = self.first + self.system.config.batch_timeout
        self.node.after(max(0.0, due - self.system.world.now), self._flush)

    def _flush(self) -> None:
        waiting, self.buffer, self.busy = self.buffer, [], True
        batches = [batch for _, _, batch in waiting]
        self.files += 1
        name = f"files/{self.files:06d}-{self.node.name}"
        size = self.system.record_bytes * sum(len(batch.values) for batch in batches)
        self.client.put(name, size, lambda answer: self._commit(name, waiting), body=batches)

    def _commit(self, name: str, waiting: list) -> None:
        """Reads the manifest, adds a file, writes it back: as often as it takes."""
        def read(answer) -> None:
            state = {name: copy.copy(part) for name, part in (answer.body if answer.ok else empty()).items()}
            offsets = place(state, name, [batch for _, _, batch in waiting])
            condition = {"match": answer.etag} if answer.ok else {"absent": True}
            self.client.put_if(MANIFEST, 0, lambda done: written(done.ok, offsets), body=state, **condition)

        def written(ok: bool, offsets: list[int]) -> None:
            if ok:
                self._done(waiting, offsets)
            else:
                self._commit(name, waiting)
        self.client.get(MANIFEST, read)

    def _done(self, waiting: list, offsets: list[int]) -> None:
        self.system.acknowledge(waiting, offsets)
        self.busy = False
        if self.buffer:
            self._plan()
