"""The way to the object store: writing to one bucket or a majority of several, reading through the cache of a zone."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ...kernel.objectstore import CLASSES, Answer, ObjectStore, StoreClient

if TYPE_CHECKING:
    from .agent import Agent
    from .system import WarpStreamSystem

CACHE_BYTES = 1 << 30   # of one zone
METERS = [f"{name.replace('_', ' ').upper()} requests" for name in CLASSES] + ["throttled requests", "bytes read",
                                                                              "bytes written"]


def buckets(system: WarpStreamSystem) -> list[ObjectStore]:
    """One bucket for the region, or one in each zone if the store keeps its objects in a single zone."""
    config = system.config
    if not config.profile.single_zone:
        return [ObjectStore(system.world, config.profile)]
    zones = [config.zone(index) for index in range(config.zones)]
    return [ObjectStore(system.world, config.profile, f"object-store-{zone}", zone) for zone in zones]


def total(system: WarpStreamSystem) -> None:
    """Adds the meters of several buckets up under the name of one, which is what price books know."""
    meters, stores = system.world.meters, system.buckets
    if len(stores) > 1:
        for name in METERS:
            meters.counts[f"object-store {name}"] = sum(meters.counts.get(f"{s.name} {name}", 0) for s in stores)
        meters.close(system.world.now)
        meters.integrals["object-store byte-seconds"] = sum(meters.integrals[f"{s.name} byte-seconds"] for s in stores)


class Storage:
    """An agent's way to all buckets, that of its own zone first."""

    def __init__(self, agent: Agent, stores: list[ObjectStore]):
        self.node, world = agent.node, agent.world
        near = sorted(stores, key=lambda store: store.node.zone not in (agent.node.zone, "region"))
        self.clients = [StoreClient(agent.node, store) for store in near]
        self.quorum = len(stores) // 2 + 1
        profile = world.network.profile
        self._away = [None if store.node.zone in (agent.node.zone, "region") else
                      world.sampler(f"{store.name}/{agent.node.name}/way", profile.cross_zone) for store in near]

    def put(self, file, done: Callable[[bool], None]) -> None:
        """Writes a file to all buckets; `done` learns once whether a majority has it."""
        answers: list[bool] = []

        def one(answer: Answer) -> None:
            answers.append(answer.ok)
            if answers[-1] and answers.count(True) == self.quorum:
                done(True)
            elif not answers[-1] and answers.count(False) == len(self.clients) - self.quorum + 1:
                done(False)
        for client, away in zip(self.clients, self._away):
            client.put(file.name, file.size, self._delayed(away, one), body=file, cause=file.event)

    def _delayed(self, away, done: Callable) -> Callable:
        """An answer from another zone takes its way there and back."""
        return done if away is None else lambda answer: self.node.after(2 * away(), done, answer)

    def get(self, name: str, span: int | None, done: Callable[[Answer], None], cause: int = -1,
            bucket: int = 0) -> None:
        """Reads an object from the nearest bucket that has it and answers."""
        def one(answer: Answer) -> None:
            if answer.ok or bucket + 1 == len(self.clients):
                done(answer)
            else:
                self.get(name, span, done, answer.event, bucket + 1)
        self.clients[bucket].get(name, self._delayed(self._away[bucket], one), span=span, cause=cause)

    def names(self, done: Callable[[list[str]], None]) -> None:
        """All objects of all buckets that answer."""
        found: set[str] = set()
        left = [len(self.clients)]

        def one(answer: Answer) -> None:
            found.update(answer.keys)
            left[0] -= 1
            if not left[0]:
                done(sorted(found))
        for client in self.clients:
            client.list("", one)

    def delete(self, name: str) -> None:
        """Deletes an object everywhere; what is missed now is found by the next scan."""
        for client in self.clients:
            client.delete(name, lambda answer: None)


class ZoneCache:
    """The files that a zone's agents have read: each is read once a zone. What an agent loaded dies with it."""

    def __init__(self):
        self.files: OrderedDict[str, tuple[object, int]] = OrderedDict()   # name -> who loaded it, its size
        self.loading: dict[str, tuple[object, int, list]] = {}             # name -> who, in which life, and for whom
        self.bytes = 0

    def read(self, agent: Agent, file, done: Callable[[bool], None], cause: int) -> None:
        """Has `done` told whether the file could be read: from the cache, with a load under way, or by a GET."""
        name, counts = file.name, agent.world.meters.counts
        if name in self.files:
            counts["cache hits"] += 1
            self.files.move_to_end(name)
            done(True)
            return
        loader, life, waiters = self.loading.get(name, (None, -1, []))
        if loader is not None and loader.node.incarnation == life:
            counts["cache hits"] += 1
            waiters.append((agent, agent.node.incarnation, done))
            return
        self.loading[name] = (agent, agent.node.incarnation, [(agent, agent.node.incarnation, done)])
        agent.storage.get(name, file.size, partial(self._loaded, agent, file), cause)

    def _loaded(self, agent: Agent, file, answer: Answer) -> None:
        _, _, waiters = self.loading.pop(file.name)
        if answer.ok:
            self._keep(agent, file)
        for waiter, life, done in waiters:
            waiter.node.call(life, done, (answer.ok,))

    def _keep(self, agent: Agent, file) -> None:
        self.files[file.name] = (agent, file.size)
        self.bytes += file.size
        while self.bytes > CACHE_BYTES:
            self.bytes -= self.files.popitem(last=False)[1][1]

    def lose(self, agent: Agent) -> None:
        """An agent has died, and what it had loaded."""
        gone = [name for name, (owner, _) in self.files.items() if owner is agent]
        self.bytes -= sum(self.files.pop(name)[1] for name in gone)
