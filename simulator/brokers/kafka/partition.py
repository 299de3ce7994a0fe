"""A partition as its leader sees it: positions, in-sync replicas, the high watermark, the producers' last batches.

Rules (kafka.apache.org/documentation, "Replication"; KIP-966 for the high watermark below min_insync; KIP-98 for
sequences): a batch with the sequence that comes next is appended, one of the last five is answered with its old offset,
a gap is refused, and so is a producer epoch that is not the newest. A new epoch begins at sequence 0.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from .log import Log, LogBatch
from .messages import BATCH_OVERHEAD, NO_ERROR, Error, PartitionState, ProduceRequest, ProducerBatch

if TYPE_CHECKING:
    from .broker import Broker

REMEMBERED_BATCHES = 5  # per producer and partition (KIP-98)


class Leadership:
    """One leader's term of office for one partition."""

    def __init__(self, broker: Broker, state: PartitionState, event: int):
        self.broker, self.key, self.state = broker, state.key, state
        self.log: Log = broker.logs[state.key]
        self.epoch = state.leader_epoch
        # in-sync replicas that move the high watermark
        self.enough = broker.config.min_insync if broker.rules.keeps_eligible else 0
        now = broker.node.world.now
        # log end offsets, as last fetched
        self.positions = {follower: 0 for follower in state.replicas if follower != broker.index}
        self.caught_up = {follower: now for follower in self.positions}
        self.last_fetch = {follower: (now, self.log.end_offset) for follower in self.positions}
        self.proposed: tuple[int, ...] | None = None
        self.waiting: deque[tuple[int, ProducerBatch, int, ProduceRequest]] = deque()
        self.last_append = event
        self.recent: dict[int, deque[LogBatch]] = {}
        for batch in self.log.batches if self.log.transactions else self.log.remembered()[-50:]:
            if batch.producer_id >= 0:
                self._remember(batch)

    # Writing

    def append(self, batch: ProducerBatch, acks: int | str, cause: int) -> tuple[Error, int, int]:
        """Appends a batch, unless it is a repeated one: the error, its first offset, the end offset to replicate."""
        if acks == "all" and len(self.state.isr) < self.broker.config.min_insync:
            return Error.NOT_ENOUGH_REPLICAS, -1, 0
        if batch.producer_id >= 0:
            error, known = self._check_sequence(batch)
            if known is not None:
                self.broker.note(self.broker.kinds.deduplicated, self.key, cause, known.offset, batch.count,
                                 self.epoch, batch.value)
                return NO_ERROR, known.offset, known.offset + known.count
            if error is not NO_ERROR:
                return error, -1, 0
        log = self.log
        appended = LogBatch(log.end_offset, batch.count, self.epoch, batch.value, batch.producer_id,
                            batch.size + BATCH_OVERHEAD, batch.producer_epoch, batch.sequence, batch.transactional,
                            content=batch.content)
        self.write(appended, cause)
        return NO_ERROR, appended.offset, log.end_offset

    def write(self, batch: LogBatch, cause: int) -> None:
        """Puts a batch at the end of the log, whatever its producer has sent before."""
        broker = self.broker
        now = broker.world.env._now
        self.log.append(batch, now)
        if batch.producer_id >= 0:
            self._remember(batch)
        self.last_append = broker.record(now, broker.kinds.append, broker.node.code, -1, self.key, cause,
                                         batch.offset, batch.count, self.epoch, batch.value)

    def _check_sequence(self, batch: ProducerBatch) -> tuple[Error, LogBatch | None]:
        recent = self.recent.get(batch.producer_id)
        if not recent:
            return NO_ERROR, None
        last, sequence = recent[-1], batch.sequence
        if batch.producer_epoch < last.producer_epoch:
            return Error.INVALID_PRODUCER_EPOCH, None
        if batch.producer_epoch > last.producer_epoch:
            return (Error.OUT_OF_ORDER_SEQUENCE_NUMBER if sequence else NO_ERROR), None
        if sequence == last.sequence + last.count:
            return NO_ERROR, None
        known = next((old for old in recent if old.sequence == sequence and not old.marker), None)
        if known is None and sequence < last.sequence:
            asked = batch.producer_id, batch.producer_epoch, sequence
            known = next((old for old in reversed(self.log.remembered())
                          if (old.producer_id, old.producer_epoch, old.sequence) == asked), None)
        return (NO_ERROR, known) if known else (Error.OUT_OF_ORDER_SEQUENCE_NUMBER, None)

    def _remember(self, batch: LogBatch) -> None:
        recent = self.recent.get(batch.producer_id)
        if recent is None or recent[-1].producer_epoch < batch.producer_epoch:
            recent = self.recent[batch.producer_id] = deque(maxlen=REMEMBERED_BATCHES)
        if not batch.marker or not recent:  # a marker has no sequence, but it may bring a new epoch
            recent.append(batch if not batch.marker else batch._replace(count=0, sequence=0))

    # Replication

    def fetched(self, follower: int, offset: int, now: float) -> None:
        """A follower asks for the records from `offset` on: so it has everything before."""
        log = self.log
        before, end_then = self.last_fetch[follower]
        if offset >= log.end_offset:
            self.caught_up[follower] = now
        elif offset >= end_then:
            self.caught_up[follower] = max(self.caught_up[follower], before)
        self.last_fetch[follower] = (now, log.end_offset)
        self.positions[follower] = offset
        if follower not in self.state.isr:
            self.maybe_expand(follower, offset)

    def maybe_expand(self, follower: int, offset: int) -> None:
        """A follower at the high watermark, and at this term's first offset, may join the in-sync replicas again.

        The second half is as old as KIP-320: a new leader's high watermark may be behind what its predecessor had
        committed.
        """
        start = next((start for epoch, start in self.log.epochs if epoch == self.epoch), self.log.end_offset)
        reached = offset >= min(start, self.log.end_offset) or not self.broker.rules.fences
        if self.proposed is None and offset >= self.log.high_watermark and reached:
            self.propose(tuple(sorted(self.state.isr + (follower,))))

    def shrink(self, now: float, lag_time_max: float) -> None:
        """Proposes to drop the followers that have not been caught up for `replica.lag.time.max`."""
        slow = [f for f in self.state.isr if f in self.positions
                and self.positions[f] < self.log.end_offset and now - self.caught_up[f] > lag_time_max]
        if slow and self.proposed is None:
            self.propose(tuple(b for b in self.state.isr if b not in slow))

    def propose(self, isr: tuple[int, ...]) -> None:
        """Asks the controller for other in-sync replicas (AlterPartition); until it answers, both sets count."""
        self.proposed = isr
        self.broker.alter_partition(self, isr)

    def advance(self, cause: int) -> int | None:
        """Moves the high watermark to what every in-sync replica has; the event of the move, None if it did not move.

        The maximal ISR counts: current and proposed members. With KIP-966 it stands still while there are fewer than
        min_insync.
        """
        broker, log, isr = self.broker, self.log, self.state.isr
        if len(isr) < self.enough:
            return None
        high = log.end_offset
        for member in isr:
            if member != broker.index and self.positions[member] < high:
                high = self.positions[member]
        for member in self.proposed or ():
            if member != broker.index and self.positions[member] < high:
                high = self.positions[member]
        if high <= log.high_watermark:
            return None
        log.high_watermark = high
        return broker.record(broker.world.env._now, broker.kinds.high_watermark, broker.node.code, -1, self.key, cause,
                             high, 0, self.epoch)

    def settle(self, cause: int) -> list[ProduceRequest]:
        """Settles the batches that the high watermark has reached; the requests that have nothing left to wait for."""
        done = []
        high, waiting = self.log.high_watermark, self.waiting
        enough = len(self.state.isr) >= self.broker.config.min_insync
        while waiting and waiting[0][0] <= high:
            _, batch, offset, request = waiting.popleft()
            request.results.append((batch, NO_ERROR if enough else Error.NOT_ENOUGH_REPLICAS_AFTER_APPEND, offset))
            request.cause = cause
            request.pending -= 1
            if request.pending == 0:
                done.append(request)
        return done

    def resign(self) -> list[ProduceRequest]:
        """Ends the term: whoever still waits is told to look for the new leader; the requests that this answers."""
        done = []
        for _, batch, _, request in self.waiting:
            batch.maybe_appended = True
            request.results.append((batch, Error.NOT_LEADER_OR_FOLLOWER, -1))
            request.pending -= 1
            if request.pending == 0:
                done.append(request)
        self.waiting.clear()
        return done
