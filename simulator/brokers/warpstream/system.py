"""Agents, metadata service, buckets and clients of one run, wired together: what `simulate` runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...evidence.history import FINAL_READER, OK, History
from ...evidence.policy import Guarantees
from .agent import Agent
from .clients import Consumer, Producer
from .files import SENTENCES, Kinds
from .metadata import Metadata
from .storage import ZoneCache, buckets, total

if TYPE_CHECKING:
    from ...kernel.world import World
    from ...workload import Workload
    from .config import Cluster

TOPIC = "orders"


class WarpStreamSystem:
    """One run. Every producer writes to every partition, through whatever agent it talks to.

    A system that is built on this engine names its own parts and kinds of events.
    """
    Agent, Metadata, Producer, Consumer = Agent, Metadata, Producer, Consumer
    SENTENCES = SENTENCES

    def __init__(self, config: Cluster, world: World, workload: Workload):
        self.config, self.world, self.workload = config, world, workload
        self.kinds, self.history = Kinds(world.trace, self.SENTENCES), History()
        for key in range(config.partitions):
            for names in (self.history.keys, world.trace.keys):
                names.code(f"{TOPIC}-{key}")
        self.buckets = buckets(self)
        self.caches = {config.zone(index): ZoneCache() for index in range(config.zones)}
        agent, metadata = config.names
        self.metadata = self.Metadata(self, metadata)
        self.agents = [self.Agent(self, number, agent) for number in range(config.agents)]
        self._create_clients()
        for interval, job in ((config.scan_interval, "scan"), (config.compaction_interval, "compact")):
            if interval is not None:
                world.after(interval, self._now_and_then, interval, job, 0)

    def _create_clients(self) -> None:
        config = self.config
        times, by, where = self._records()
        shares = self._shared_out(times, by, where)
        sizes = np.array([[len(part) for part in share] for share in shares])
        first = np.cumsum(sizes, axis=0) - sizes     # the values of a partition: producer after producer
        self.history.created = {key: np.concatenate([share[key] for share in shares])
                                for key in range(config.partitions)}
        self.producers = [self.Producer(self, n, share, first[n].tolist()) for n, share in enumerate(shares)]
        readers = min(self.workload.consumers, config.partitions)
        self.consumers = [self.Consumer(self, n, list(range(n, config.partitions, readers))) for n in range(readers)]

    def _records(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The times of all records in order, whose producer's they are, and for which partition."""
        config, world, workload = self.config, self.world, self.workload
        times = workload.arrival_times(world.stream("workload/arrivals"))
        keys = workload.record_keys(world.stream("workload/keys"), len(times))
        where = (np.arange(len(times)) if keys is None else keys) % config.partitions
        by = (np.arange(len(times)) // (config.partitions if keys is None else 1)) % config.producers
        return times, by, where

    def _shared_out(self, what: np.ndarray, by: np.ndarray, where: np.ndarray) -> list[list[np.ndarray]]:
        """What there is of each record, as a list for each producer of an array for each partition."""
        config = self.config
        shares = config.producers * config.partitions
        share = (by * config.partitions + where).astype(np.min_scalar_type(shares))  # small numbers sort quickly
        ends = np.cumsum(np.bincount(share, minlength=shares))
        parts = np.split(what[np.argsort(share, kind="stable")], ends[:-1])
        return [parts[n * config.partitions:(n + 1) * config.partitions] for n in range(config.producers)]

    def _now_and_then(self, interval: float, job: str, turn: int) -> None:
        """One agent that is up does the job; the next time it is another one's turn."""
        up = [agent for agent in self.agents if agent.node.up and not agent.node.paused]
        if up:
            getattr(up[turn % len(up)].upkeep, job)()
        self.world.after(interval, self._now_and_then, interval, job, turn + 1)

    @property
    def guarantees(self) -> Guarantees:
        """A lightning topic keeps no order over a crash and stores things twice; without its slow path it loses."""
        config = self.config
        return Guarantees(idempotence=config.exactly_once, in_order=config.exactly_once,
                          durable=not config.lightning or config.slow_path)

    # The end of a run

    def quiet(self) -> bool:
        """Whether every record is acknowledged, read, and no file waits for its commit or its rescue."""
        if not all(producer.done for producer in self.producers) or any(agent.committing for agent in self.agents):
            return False
        if self.config.lightning and self.config.slow_path and self._uncommitted():
            return False
        ends = self.metadata.ends
        return all(position >= ends[key] for c in self.consumers if c.node.up for key, position in c.positions.items())

    def _uncommitted(self) -> list[str]:
        """Journal files in a bucket that the metadata service knows nothing of."""
        known = self.metadata.done
        return [name for bucket in self.buckets for name in bucket.objects
                if name.startswith("files/") and name not in known and name not in self.metadata.dead]

    def finish(self) -> None:
        """The final reader reads every partition from its beginning, as far as its files are still there."""
        for producer in self.producers:
            producer.give_up()
        reader, now, history = self.history.processes.code(FINAL_READER), self.world.now, self.history
        there = {name for bucket in self.buckets for name in bucket.objects}
        for key, log in enumerate(self.metadata.logs):
            for entry in log:
                if entry.file.name in there:
                    history.polled(history.op(), reader, key, entry.value, entry.count, entry.offset, OK, now, now)
        history.drained = all(producer.sent == len(producer.times) for producer in self.producers)
        self.world.meters.integrals["broker seconds"] = self.config.agents * now
        total(self)
