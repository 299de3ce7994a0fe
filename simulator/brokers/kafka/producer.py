"""The producer: batches by time and size, requests in flight, retries, idempotence.

Records are never objects. The producer knows, for each partition, the creation times of its records; a batch is the
next stretch of them, cut when `linger` has passed since its first record or when it is full. Source: the producer's
documentation for 4.2; KIP-480, KIP-580 (exponential back-off), KIP-360 (a lost sequence begins a new producer epoch),
KIP-1030 (linger 5 ms). Left out: buffer.memory and max.block.ms (senders are never held up), compression. Several
producers: see `placement`.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from ...evidence.history import FAIL, INFO, OK, UNKNOWN
from ...kernel.distributions import Uniform
from .messages import NO_ERROR, REQUEST_OVERHEAD, Error, ProduceRequest, ProducerBatch

if TYPE_CHECKING:
    from .cluster import KafkaSystem

SEND_BUFFER = 131_072             # send.buffer.bytes
EXPIRY_CHECK = 1.0                # seconds between looks for batches past their delivery timeout
RECONNECT_BACKOFF = 0.05          # reconnect.backoff.ms
RECONNECT_BACKOFF_MAX = 1.0       # reconnect.backoff.max.ms
CONNECTION_SETUP_TIMEOUT = 10.0   # socket.connection.setup.timeout.ms


class Stretch:
    """One partition as the producer sees it: records not yet sent, batches to be sent again, batches in flight."""

    def __init__(self, key: int, created: np.ndarray):
        self.key, self.created, self.total = key, memoryview(created), len(created)
        self.cursor = 0                           # the next record that was never sent
        self.again: list[ProducerBatch] = []      # in order of their records
        self.again_at = 0.0                       # not before this time
        self.flying: list[int] = []               # first values of the batches in flight
        # a new epoch after a sequence was lost; its sequences count from `base`
        self.producer_epoch, self.base = 0, 0
        self.leader, self.leader_epoch = -1, -1


class ProducerClient:
    """A producer on its own node, sending all that comes into being there: by default all the workload asks for."""

    def __init__(self, system: KafkaSystem, created: list[np.ndarray], record_bytes: int, number: int = 1,
                 zone: str = ""):
        self.system, self.config, self.world, self.kinds = system, system.config.producer, system.world, system.kinds
        self.history, self.idempotent = system.history, system.config.producer.idempotent
        self.node = system.world.node(f"producer-{number}", "producer", zone or system.config.zones[0])
        self.node.on_start, self.node.on_disconnect, self.node.on_crash = self.start, self._disconnected, self._crashed
        self.process = self.history.processes.code(self.node.name)
        self.record_bytes = record_bytes
        self.records_a_batch = max(1, self.config.batch_size // record_bytes)
        self.stretches = [Stretch(key, times) for key, times in enumerate(created)]
        # the factor on every back-off (KIP-580)
        self._jitter = self.world.sampler(f"producer/backoff{f'#{number}' if number > 1 else ''}", Uniform(0.8, 1.2))
        self._forget()

    def _forget(self):
        brokers = len(self.system.brokers)
        self.in_flight: list[list[ProduceRequest]] = [[] for _ in range(brokers)]
        self.by_leader: list[list[Stretch]] = [[] for _ in range(brokers)]
        self.timers: list = [None] * brokers
        self.asked: int | None = None  # the broker asked for metadata
        self.questions, self.will_ask = 0, False
        self.watched = [False] * brokers
        self.connected = [True] * brokers
        self.connects = [0] * brokers  # attempts since the connection was lost
        self.in_socket = [0] * brokers  # bytes of acks=0 requests that the other machine has not taken yet

    def start(self) -> None:
        """Learns who leads and begins; records that were due while the process was down were never sent."""
        self._forget()
        for stretch in self.stretches:
            stretch.cursor = bisect_right(stretch.created, self.world.now, stretch.cursor, stretch.total)
        self.on_metadata(self.system.leaders(), -1)
        self.node.after(EXPIRY_CHECK, self._expire)

    def _crashed(self, power_lost: bool) -> None:
        """What was under way ends without an answer."""
        for request in [request for requests in self.in_flight for request in requests]:
            request.open = False
            for batch in request.batches:
                self._complete(batch, INFO, Error.NETWORK_EXCEPTION)
        for stretch in self.stretches:
            for batch in stretch.again:
                self._complete(batch, INFO if batch.maybe_appended else FAIL, Error.NETWORK_EXCEPTION)
            stretch.again, stretch.flying = [], []
        self._forget()

    @property
    def done(self) -> bool:
        """Whether every record was sent and its fate is known."""
        return all(s.cursor >= s.total and not s.again and not s.flying for s in self.stretches)

    # When to send

    def _plan(self, broker: int) -> None:
        """Sets a broker's timer to the moment at which a request to it is due; none while too many are in flight."""
        timer = self.timers[broker]
        if timer is not None:
            timer.cancel()
            self.timers[broker] = None
        full = len(self.in_flight[broker]) >= self.config.max_in_flight or self.in_socket[broker] >= SEND_BUFFER
        if full or not self.connected[broker]:
            return
        due = inf
        for stretch in self.by_leader[broker]:
            ready = self._ready_at(stretch)
            if ready < due:
                due = ready
        if due < inf:
            now = self.world.env._now
            self.timers[broker] = self.node.after(due - now if due > now else 0.0, self._send, broker)

    def _ready_at(self, stretch: Stretch) -> float:
        if stretch.again:
            return stretch.again_at if self._may_repeat(stretch) else inf
        cursor = stretch.cursor
        if cursor >= stretch.total:
            return inf
        created = stretch.created
        lingered = created[cursor] + self.config.linger
        full = cursor + self.records_a_batch - 1
        return min(lingered, created[full]) if full < stretch.total else lingered

    def _may_repeat(self, stretch: Stretch) -> bool:
        """With idempotence a batch is repeated only when nothing before it is in flight: sequences arrive in order."""
        return not (self.idempotent and stretch.flying and stretch.flying[0] < stretch.again[0].value)

    # Sending

    def _send(self, broker: int) -> None:
        """Sends one request with the next batch of every partition that this broker leads and that has one."""
        self.timers[broker] = None
        now = self.world.env._now
        batches = []
        for stretch in self.by_leader[broker]:
            batch = self._next_batch(stretch, now)
            if batch is not None:
                batch.attempts += 1
                batches.append(batch)
                insort(stretch.flying, batch.value)
        if batches:
            self._transmit(broker, batches, now)
        self._plan(broker)

    def _next_batch(self, stretch: Stretch, now: float) -> ProducerBatch | None:
        if stretch.again:
            return self._again(stretch) if stretch.again_at <= now and self._may_repeat(stretch) else None
        first, created = stretch.cursor, stretch.created
        if first >= stretch.total or created[first] > now:
            return None
        stretch.cursor = end = bisect_right(created, now, first, min(first + self.records_a_batch, stretch.total))
        batch = ProducerBatch(stretch.key, first, end - first, (end - first) * self.record_bytes,
                              0 if self.idempotent else -1, self.history.op(), created[first])
        batch.producer_epoch, batch.sequence = stretch.producer_epoch, first - stretch.base
        return batch

    def _again(self, stretch: Stretch) -> ProducerBatch:
        """The next batch to be sent again, numbered anew if a new epoch has begun."""
        batch = stretch.again.pop(0)
        batch.producer_epoch, batch.sequence = stretch.producer_epoch, batch.value - stretch.base
        return batch

    def _transmit(self, broker: int, batches: list[ProducerBatch], now: float) -> None:
        target = self.system.brokers[broker]
        request = ProduceRequest(self, broker, batches, self.config.acks)
        only = batches[0] if len(batches) == 1 else None
        count = size = 0
        for batch in batches:
            count += batch.count
            size += batch.size
        event = self.world.network.link(self.node, target.node).send(
            self.kinds.produce, target.on_produce, request, size + REQUEST_OVERHEAD, -1, only.key if only else -1,
            -1, count, -1, only.value if only else -1)
        for batch in batches:
            batch.event = event
        if self.config.acks == 0:
            self._forget_about(request, size + REQUEST_OVERHEAD)
        else:
            request.sent = now
            self.in_flight[broker].append(request)
            self._watch(broker)

    def _forget_about(self, request: ProduceRequest, size: int) -> None:
        """With acks=0 a request is answered once it is in the socket, whose buffer fills if a machine takes nothing."""
        for batch in request.batches:
            self.stretches[batch.key].flying.remove(batch.value)
            self._complete(batch, OK, NO_ERROR)
        self.in_socket[request.broker] += size
        request.size = size
        if self.in_socket[request.broker] >= SEND_BUFFER:
            self.node.after(self.config.request_timeout, self._stuck, request.broker,
                            self.connects[request.broker], request)

    def on_taken(self, request: ProduceRequest) -> None:
        """The broker's machine has taken an acks=0 request."""
        request.open = False
        if self.connected[request.broker] and self.in_socket[request.broker]:
            self.in_socket[request.broker] -= request.size
            self._plan(request.broker)

    def _stuck(self, broker: int, connects: int, request: ProduceRequest) -> None:
        if request.open and self.connected[broker] and connects == self.connects[broker]:
            self._lose_connection(broker, Error.REQUEST_TIMED_OUT, -1)

    def _watch(self, broker: int) -> None:
        """One timer a broker, set by the oldest request in flight: a request never answered is noticed."""
        if not self.watched[broker] and self.in_flight[broker]:
            self.watched[broker] = True
            due = self.in_flight[broker][0].sent + self.config.request_timeout
            self.node.after(max(due - self.world.now, 0.0), self._look, broker)

    def _look(self, broker: int) -> None:
        self.watched[broker] = False
        requests, now = self.in_flight[broker], self.world.now
        if requests and now >= requests[0].sent + self.config.request_timeout - 1e-9:
            event = self.world.trace.add(now, self.kinds.timeout, self.node.code, self.system.brokers[broker].node.code)
            self._lose_connection(broker, Error.REQUEST_TIMED_OUT, event)
        self._watch(broker)

    # Answers

    def on_produced(self, request: ProduceRequest, event: int) -> None:
        """An answer: batches that are written are done, the others are sent again or given up."""
        if not request.open:
            return
        request.open = False
        self.in_flight[request.broker].remove(request)
        refresh = False
        for batch, error, offset in request.results:
            self.stretches[batch.key].flying.remove(batch.value)
            if error is NO_ERROR:
                self._complete(batch, OK, error, offset, event)
            else:
                self._retry(batch, error, event)
                refresh = refresh or error is Error.NOT_LEADER_OR_FOLLOWER
        if refresh:
            self._refresh(event)
        self._plan(request.broker)

    def _disconnected(self, peer) -> None:
        broker = next((b.index for b in self.system.brokers if b.node is peer), None)
        if broker is None:
            return
        self._lose_connection(broker, Error.NETWORK_EXCEPTION, -1)
        if self.asked == broker:
            self.asked = None
            self._refresh_later(-1, broker + 1)

    def _lose_connection(self, broker: int, error: Error, event: int) -> None:
        """A connection is gone: what was in flight is sent again, in order, once there is one or a new leader."""
        self.connected[broker], self.in_socket[broker] = False, 0
        backoff = min(RECONNECT_BACKOFF * 2 ** self.connects[broker], RECONNECT_BACKOFF_MAX)
        self.connects[broker] += 1
        self.node.after(backoff * self._jitter(), self._connect, broker, self.connects[broker])
        requests, self.in_flight[broker] = self.in_flight[broker], []
        for request in requests:
            request.open = False
            for batch in request.batches:
                self.stretches[batch.key].flying.remove(batch.value)
                self._retry(batch, error, event)
        self._refresh(event, broker + 1)
        self._plan(broker)

    def _connect(self, broker: int, attempt: int) -> None:
        """Opens a connection."""
        if self.connected[broker] or attempt != self.connects[broker]:
            return
        target = self.system.brokers[broker]
        self.world.network.link(self.node, target.node).send(self.kinds.connect, target.on_connect, self,
                                                             REQUEST_OVERHEAD)
        self.node.after(CONNECTION_SETUP_TIMEOUT, self._silence, broker, attempt)

    def _silence(self, broker: int, attempt: int) -> None:
        """A machine that does not answer is tried again; meanwhile others are asked who leads its partitions now."""
        if not self.connected[broker] and attempt == self.connects[broker]:
            self._refresh(-1, broker + 1)
            self._connect(broker, attempt)

    def on_connected(self, broker: int, event: int) -> None:
        """The connection stands."""
        self.connected[broker], self.connects[broker] = True, 0
        self._plan(broker)

    def _retry(self, batch: ProducerBatch, error: Error, event: int) -> None:
        stretch, now = self.stretches[batch.key], self.world.env._now
        batch.maybe_appended = batch.maybe_appended or error.appended
        if batch.attempts > self.config.retries or now >= batch.invoked + self.config.delivery_timeout:
            self._complete(batch, INFO if batch.maybe_appended else FAIL, error, event=event)
            return
        missing_before = stretch.flying or any(earlier.value < batch.value for earlier in stretch.again)
        if error is Error.OUT_OF_ORDER_SEQUENCE_NUMBER and not missing_before:
            # nothing before it is missing here: the broker has lost records, so begin a new epoch (KIP-360)
            stretch.producer_epoch += 1
            stretch.base = batch.value
        insort(stretch.again, batch, key=lambda b: b.value)
        backoff = min(self.config.retry_backoff * 2 ** (batch.attempts - 1), self.config.retry_backoff_max)
        stretch.again_at = max(stretch.again_at, now + backoff * self._jitter())
        self._note(self.kinds.retry, batch, event, error.sentence)

    def _complete(self, batch: ProducerBatch, type: int, error: Error, offset: int = UNKNOWN, event: int = -1) -> None:
        now = self.world.env._now
        self.history.sent(batch.op, self.process, batch.key, batch.value, batch.count, offset, type,
                          self.history.errors.code(error.name) if type != OK else 0, batch.invoked, now, batch.event)
        if type == OK:
            self.world.trace.add(now, self.kinds.acknowledged, self.node.code, -1, batch.key, event, offset,
                                 batch.count, -1, batch.value)
        else:
            self._note(self.kinds.gave_up, batch, event, error.sentence)

    def _note(self, kind: int, batch: ProducerBatch, cause: int, text: str) -> None:
        self.world.trace.add(self.world.now, kind, self.node.code, -1, batch.key, cause, -1, batch.count, -1,
                             batch.value, text)

    def _expire(self) -> None:
        """Gives up what is older than the delivery timeout and not in flight."""
        limit = self.world.now - self.config.delivery_timeout
        for stretch in self.stretches:
            while stretch.again and stretch.again[0].invoked <= limit:
                batch = stretch.again.pop(0)
                self._complete(batch, INFO if batch.maybe_appended else FAIL, Error.REQUEST_TIMED_OUT)
            while not stretch.again and stretch.cursor < stretch.total and stretch.created[stretch.cursor] <= limit:
                self._complete(self._next_batch(stretch, self.world.now), FAIL, Error.REQUEST_TIMED_OUT)
        self.node.after(EXPIRY_CHECK, self._expire)

    # Who leads

    def _refresh(self, event: int, broker: int = 0) -> None:
        """Asks a broker who leads what, unless a question is open."""
        if self.asked is None:
            self.asked = broker % len(self.system.brokers)
            self.questions += 1
            target = self.system.brokers[self.asked]
            self.world.network.link(self.node, target.node).send(
                self.kinds.metadata_request, target.on_metadata_request, self, REQUEST_OVERHEAD, event)
            self.node.after(self.config.request_timeout, self._unanswered, self.questions, broker)

    def _refresh_later(self, event: int, broker: int = 0) -> None:
        """Asks after the back-off; one such plan at a time."""
        if not self.will_ask:
            self.will_ask = True
            self.node.after(self.config.retry_backoff, self._ask_now, event, broker)

    def _ask_now(self, event: int, broker: int) -> None:
        self.will_ask = False
        self._refresh(event, broker)

    def _unanswered(self, question: int, broker: int) -> None:
        if self.asked is not None and question == self.questions:
            self.asked = None
            self._refresh(-1, broker + 1)

    def on_metadata(self, leaders: dict[int, tuple[int, int]], event: int) -> None:
        """Takes over newer leaders; asks again soon while a partition has none, or its records did not get through."""
        self.asked = None
        for stretch in self.stretches:
            leader, epoch = leaders.get(stretch.key, (-1, -1))
            if epoch >= stretch.leader_epoch:
                stretch.leader, stretch.leader_epoch = leader, epoch
        for broker in range(len(self.by_leader)):
            self.by_leader[broker] = [stretch for stretch in self.stretches if stretch.leader == broker]
            self._plan(broker)
        if any(stretch.leader < 0 or stretch.again and stretch.again_at > self.world.now for stretch in self.stretches):
            self._refresh_later(event)
