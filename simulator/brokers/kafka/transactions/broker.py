"""A broker that knows transactions: verifies producers, writes markers, coordinates what internal topics it leads.

Rules of a partition's leader (KIP-98, KIP-890): the first record of a transaction is taken only if the coordinator says
that the partition belongs to it; a marker is taken only from the newest coordinator, and under version 2 only under a
newer producer epoch (KIP-1228), unless there is nothing left to end, in which case a repeated marker is simply
confirmed (KAFKA-19999).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..broker import Broker
from ..log import LogBatch
from ..messages import BATCH_OVERHEAD, NO_ERROR, Error, ProduceRequest, ProducerBatch
from .calls import Call, Caller, answer
from .coordinator import TransactionCoordinator
from .errors import (CONCURRENT_TRANSACTIONS, INVALID_PRODUCER_EPOCH, INVALID_TXN_STATE, NOT_COORDINATOR,
                     TRANSACTION_COORDINATOR_FENCED)
from .group import GroupCoordinator

if TYPE_CHECKING:
    from .system import TransactionalSystem

ADD_PARTITIONS_BACKOFF = 0.02      # add.partitions.to.txn.retry.backoff.ms
ADD_PARTITIONS_BACKOFF_MAX = 0.1   # add.partitions.to.txn.retry.backoff.max.ms
MARKER_BYTES = 78 + BATCH_OVERHEAD


class Write(ProduceRequest):
    """A write that waits for the in-sync replicas: `then(error, event)` is called when it is safe, or will not be."""

    __slots__ = ("then",)

    def __init__(self, batches: list, then):
        super().__init__(None, -1, batches, "all")
        self.then = then


class TransactionalBroker(Broker):
    """A broker and two coordinators, each at work while it leads `__transaction_state` or `__consumer_offsets`."""
    system: TransactionalSystem

    def _forget(self):
        super()._forget()
        if not hasattr(self, "caller"):
            self.caller = Caller(self.world, self.node, self.system.calls, self.system.settings.request_timeout)
        self.caller.forget()
        self.coordinators = {self.system.state_key: TransactionCoordinator(self),
                             self.system.offsets_key: GroupCoordinator(self)}
        # (partition, producer) -> the verification that lets its first record in
        self.verified: dict[tuple[int, int], object] = {}

    def _disconnected(self, peer) -> None:
        super()._disconnected(peer)
        self.caller.disconnected(peer)

    # Coordinators come and go with the leadership of their topic

    def _lead(self, state, event: int) -> None:
        super()._lead(state, event)
        if state.key in self.coordinators:
            self.coordinators[state.key].load(self.leading[state.key], event)

    def _resign(self, leadership, event: int) -> None:
        super()._resign(leadership, event)
        if leadership.key in self.coordinators:
            self.coordinators[leadership.key].unload()

    # Requests

    def on_call(self, call: Call, event: int) -> None:
        """A request arrives; the coordinators answer for their topics, the broker itself for its partitions."""
        own = getattr(self, f"on_{call.api}", None) if call.api in ("produce", "write_markers", "read") else None
        coordinator = next((c for c in self.coordinators.values() if c.serves(call.api)), None)
        if own:
            own(call, event)
        elif coordinator and coordinator.loaded:
            getattr(coordinator, f"on_{call.api}")(call, event)
        else:
            answer(self, call, NOT_COORDINATOR, cause=event)
        self._flush()

    # Writing

    def write(self, key: int, batch: ProducerBatch, then, cause: int) -> None:
        """Appends a batch to a partition that this broker leads, and says when it is safe."""
        request = Write([batch], then)
        self._produce(request, cause)

    def _answer(self, request: ProduceRequest) -> None:
        if isinstance(request, Write):
            error = request.results[0][1]
            request.then("" if error is NO_ERROR else error.name, request.results[0][2], request.cause)
        else:
            super()._answer(request)

    def on_produce(self, call, event: int) -> None:
        """Records of a transaction (a call), or of a producer without transactions (a plain request)."""
        if isinstance(call, ProduceRequest):
            super().on_produce(call, event)
            return
        batch: ProducerBatch = call.body
        self.admit(batch.key, batch, lambda error, offset, cause: answer(self, call, error, offset, cause), event)

    def admit(self, key: int, batch: ProducerBatch, then, event: int, refusal=lambda: "") -> None:
        """Appends a transactional batch, asking the coordinator about a transaction's first; last asks `refusal`."""
        leadership = self.leading.get(key)
        if leadership is None:
            then(Error.NOT_LEADER_OR_FOLLOWER.name, -1, event)
        elif not batch.transactional or self._is_open(leadership, batch):
            self._append(leadership, batch, then, event, refusal)
        else:
            self._verify(leadership, batch, then, event, refusal)

    def _append(self, leadership, batch: ProducerBatch, then, event: int, refusal) -> None:
        error = refusal() if self.leading.get(leadership.key) is leadership else Error.NOT_LEADER_OR_FOLLOWER.name
        if error:
            then(error, -1, event)
        else:
            self.write(leadership.key, batch, then, event)

    def _is_open(self, leadership, batch: ProducerBatch) -> bool:
        index, producer = leadership.log.transactions, batch.producer_id
        return index is not None and producer in index.open and index.epochs[producer] == batch.producer_epoch

    def _verify(self, leadership, batch: ProducerBatch, then, event: int, refusal) -> None:
        """Asks the coordinator whether this partition is part of the transaction (version 1), or makes it so (2)."""
        place, limit = (leadership.key, batch.producer_id), self.world.now + ADD_PARTITIONS_BACKOFF_MAX
        body = (self.system.id_of[batch.producer_id], (batch.producer_id, batch.producer_epoch), (leadership.key,),
                self.system.version == 1)

        def verified(error: str, guard: object) -> None:
            # the last transaction is still being completed
            if error == CONCURRENT_TRANSACTIONS and self.world.now < limit:
                self.node.after(ADD_PARTITIONS_BACKOFF, ask)
                return
            if error == "" and self.verified.get(place) is not guard:
                error = INVALID_TXN_STATE  # a marker came in between
            if error:
                then(error, -1, event)
            else:
                self._append(leadership, batch, then, event, refusal)
                self._flush()

        def ask() -> None:
            coordinator = self.system.coordinator_of(self.system.state_key)
            guard = self.verified[place] = object()
            if coordinator is None:
                verified(NOT_COORDINATOR, guard)
            else:
                self.caller.ask(coordinator, "add_partitions", body, lambda error, _: verified(error, guard),
                                self.system.names[leadership.key], event)
        ask()

    # Markers

    def on_write_markers(self, call: Call, event: int) -> None:
        """The coordinator has decided: a control record ends the transaction in each of these partitions."""
        key, producer, marker, coordinator_epoch = call.body
        leadership = self.leading.get(key)
        error = "NOT_LEADER_OR_FOLLOWER"
        if leadership is not None:
            error = self._marker_error(leadership, producer, coordinator_epoch)
        if error == "repeated":
            self._wait(leadership, Write([], lambda error, _, cause: answer(self, call, error, cause=cause)), -1, event)
        elif error:
            self.note(self.system.calls["marker_refused"], key, event, text=error)
            answer(self, call, error, cause=event)
        else:
            self._write_marker(leadership, call, event)

    def _marker_error(self, leadership, producer: tuple[int, int], coordinator_epoch: int) -> str:
        index, (producer_id, epoch) = leadership.log.transactions, producer
        if index is None or producer_id not in index.epochs:
            return ""
        if coordinator_epoch < index.coordinator_epochs.get(producer_id, -1):
            return TRANSACTION_COORDINATOR_FENCED
        current = index.epochs[producer_id]
        if self.system.version == 2 and self.system.settings.strict_markers and epoch == current:
            return INVALID_PRODUCER_EPOCH if producer_id in index.open else "repeated"
        return INVALID_PRODUCER_EPOCH if epoch < current else ""

    def _write_marker(self, leadership, call: Call, event: int) -> None:
        key, (producer_id, epoch), marker, coordinator_epoch = call.body
        log = leadership.log
        batch = LogBatch(log.end_offset, 1, leadership.epoch, -1, producer_id, MARKER_BYTES, epoch, 0, True, marker,
                         True, coordinator_epoch)
        self.verified.pop((key, producer_id), None)
        leadership.write(batch, event)
        offset = batch.offset
        noted = self.note(self.system.calls["marker"], key, event, offset, 1, leadership.epoch, text=marker,
                          peer=self.system.producer_node(producer_id))

        def safe(error: str, _, cause: int) -> None:
            answer(self, call, error, cause=cause)
        self._wait(leadership, Write([], safe), offset, noted)

    def _wait(self, leadership, request: Write, offset: int, event: int) -> None:
        """Waits until the log is replicated up to its present end."""
        request.pending, request.cause = 1, event
        leadership.waiting.append((leadership.log.end_offset, ProducerBatch(leadership.key, -1, 1, 0, -1, -1, 0.0),
                                   offset, request))
        self._appended(leadership)
        self.advance(leadership, event)
        for done in leadership.settle(event):
            self._answer(done)

    # Reading by request, for the workers of a pipeline

    def on_read(self, call: Call, event: int) -> None:
        """Batches of one partition from an offset on, as far as they are committed."""
        key, offset, max_bytes = call.body
        leadership = self.leading.get(key)
        if leadership is None:
            answer(self, call, Error.NOT_LEADER_OR_FOLLOWER.name, cause=event)
            return
        batches, size, _ = leadership.log.read(offset, leadership.log.stable_offset, max_bytes)
        answer(self, call, value=batches, cause=event, size=size + 100)
