"""WebAssembly transforms: a function that runs in the broker, beside the partition that it reads.

One processor for each partition, at its leader and on its core: it takes the next committed batch, spends the
core's time on it, writes the result into the same partition of the output topic and waits until that is committed.
How far it came it writes down now and then; the leader after this one goes on from there, so records may be
transformed again (at least once), never left out.
Simplified: one batch at a time; the function keeps every record and its size; what is written down is safe at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..kafka.messages import NO_ERROR, REQUEST_OVERHEAD, ProducerBatch, ProduceRequest

if TYPE_CHECKING:
    from ..kafka.log import LogBatch
    from .replica import Replica

OUTPUT = "orders-transformed"
RETRY = 1.0  # seconds after which a result that nobody has confirmed is written again


class Processor:
    """The function at work on a partition, for one leader's term; to the output's leader it is a Kafka client."""

    def __init__(self, replica: Replica):
        self.replica, self.broker, self.node, self.term = replica, replica.broker, replica.node, replica.term
        self.system, self.config = self.broker.system, self.broker.config.transform
        self.position = self.system.progress[replica.key]
        self.working = False
        self.node.after(self.config.commit_interval, self._commit)

    @property
    def busy(self) -> bool:
        """Whether there is something left to transform."""
        return self.working or self.position < self.replica.committed.end_offset

    @property
    def in_office(self) -> bool:
        return self.replica.processor is self and self.replica.leads(self.term)

    def step(self, event: int) -> None:
        """Takes the next batch, if there is one and the last one is done."""
        log = self.replica.committed
        if not self.working and self.position < log.end_offset:
            self.working = True
            batch = log.read(self.position, log.end_offset, 1)[0][0]
            self.broker.cores.run(self.replica.key, self.config.cpu * batch.count, self._write, batch, event)

    def _write(self, batch: LogBatch, event: int) -> None:
        """Sends the result to the leader of the output partition, and again until it is confirmed."""
        if not self.in_office or self.position >= batch.end:
            return
        self.node.after(RETRY, self._write, batch, event)
        key = self.replica.key + self.broker.config.partitions
        leader = self.system.groups[key].leader
        if leader is not None:
            result = ProducerBatch(key, batch.value, batch.count, batch.size, -1, -1, self.broker.world.now)
            request = ProduceRequest(self, leader.broker.index, [result], "all")
            request.size = batch.end  # what is confirmed with the answer
            self.broker.link(leader.node).send(self.broker.kinds.produce, leader.broker.on_produce, request,
                                               batch.size + REQUEST_OVERHEAD, event, key, -1, batch.count,
                                               -1, batch.value)

    def on_produced(self, request: ProduceRequest, event: int) -> None:
        """The result is committed: on to the next batch. An error waits for the next attempt."""
        if self.in_office and request.results[0][1] is NO_ERROR and request.size > self.position:
            self.position, self.working = request.size, False
            self.step(event)

    def _commit(self) -> None:
        """Writes down how far it came."""
        if self.in_office:
            self.system.progress[self.replica.key] = self.position
            self.node.after(self.config.commit_interval, self._commit)
