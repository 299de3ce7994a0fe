"""The engine of `warpstream` with these brokers, this database, these clients, and a schema: what `simulate` runs."""

from __future__ import annotations

import numpy as np

from ..warpstream.files import SENTENCES, Batch
from ..warpstream.system import WarpStreamSystem
from .broker import Broker, Database
from .clients import Consumer, Producer
from .schema import Schema

MORE = {
    "invalid": ("state",
                "{node} finds that a batch of {key} does not conform, and takes it out: {records} from {peer}"),
    "rejected": ("state", "{node} is told that a batch of {key} is refused, {records}: INVALID_RECORD"),
    "kept_back": ("state", "the library in {node} refuses a record of {key} before it is sent"),
    "stopped": ("state", "the build of the next version of {node} fails: it would break the schema"),
    "poisoned": ("state", "{node} cannot read {offsets} of {key} and dies of it"),
    "skipped": ("local", "{node} skips {records} of {key} that it cannot read"),
    "repaired": ("state", "{node}, like all consumers, now skips what it cannot read: somebody has come"),
    "renew": ("send", "{node} tells {peer} that it is there"),
    "renewed": ("send", "{node} keeps the session of {peer}"),
    "expired": ("send", "{node} tells {peer} that its session has ended"),
    "zero": ("state", "{node} has waited too long for the commit of {note}, and tells producers offset 0"),
}


class BufstreamSystem(WarpStreamSystem):
    """One run."""
    Agent, Metadata, Producer, Consumer = Broker, Database, Producer, Consumer
    SENTENCES = SENTENCES | MORE

    def _create_clients(self) -> None:
        self.schema, self.skipping = Schema(self), self.config.on_poison == "skip"
        self.calls = 0       # for help: somebody comes after the first
        super()._create_clients()
        release = self.config.release
        if self.schema.stopped:
            node = self.producers[release.producer - 1].node
            self.world.after(release.at, self.world.trace.add, release.at, self.kinds.stopped, node.code)
        for time, key in zip(*self._kept_back):
            self._keep_back(self.producers[release.producer - 1], float(time), int(key))

    def _records(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Without what a producer's own library refuses; of the others, the schema knows which do not conform."""
        times, by, where = super()._records()
        broken = self.schema.broken(times, by)
        sent = ~(broken & self.schema.by_library)
        self._kept_back = times[~sent], where[~sent]
        times, by, where = times[sent], by[sent], where[sent]
        shares = self._shared_out(broken[sent], by, where)
        self.schema.poison = [np.flatnonzero(np.concatenate(parts)).tolist() for parts in zip(*shares)]
        return times, by, where

    def _keep_back(self, producer: Producer, time: float, key: int) -> None:
        """A record of its own number, behind all that are sent."""
        created, size = self.history.created[key], self.workload.record_bytes
        self.history.created[key] = np.append(created, time)
        self.schema.poison[key].append(len(created))
        batch = Batch(producer.number, 0, key, len(created), 0, 1, size, self.history.op(), time)
        self.world.after(time, producer.keep_back, batch)

    def poisoned(self, consumer: Consumer) -> None:
        """A consumer has died of a record; the first such death calls somebody."""
        self.calls += 1
        if self.calls == 1 and self.config.repair_time is not None:
            self.world.after(self.config.repair_time, self._repair, consumer)

    def _repair(self, consumer: Consumer) -> None:
        self.skipping = True
        self.world.trace.add(self.world.now, self.kinds.repaired, consumer.node.code)

    def quiet(self) -> bool:
        """As for any log on object storage, and no consumer lies dead of what it read."""
        return super().quiet() and not any(consumer.restarting for consumer in self.consumers)

    def finish(self) -> None:
        """Counts what lies in the log for every reader to come."""
        logs = enumerate(self.metadata.logs)
        self.world.meters.counts["poison records stored"] = sum(
            self.schema.count(key, entry.value, entry.count) for key, log in logs for entry in log)
        super().finish()
