"""A publisher and a consumer of a JetStream stream, every operation in a History that the checks can judge.

What an answer means, and what is written down:

- One record is one operation. The publisher repeats it, always with the same `Nats-Msg-Id`, until it is acknowledged,
  and sends nothing else meanwhile. An acknowledgement of any attempt makes the whole operation `ok`: within the
  stream's duplicate window (two minutes) the server stores an id once and answers a repeat with the sequence number of
  the first.
- A timeout or a lost connection says nothing about the record: the attempt may have been stored. If the publisher loses
  patience the operation is `info`, and it carries on under a new process name. Patience is shorter than the duplicate
  window, so that every repeat is recognised.
- Only a refusal of the first attempt is `fail`; after an attempt with an unknown end, nobody can say that the record
  was not stored.
- Records fall due at a steady rate, whether the server answers or not, and `created` holds those moments. Latency
  counted from there includes the wait of records that could not be sent during an outage; a publisher that politely
  stops its clock would hide it.

Key: the stream's name. Value: 0, 1, 2, ... Offset: the stream's sequence number, from 1. Times: seconds since the
recorder started.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter

import nats
import numpy as np
from nats.errors import Error, MaxPayloadError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import BadRequestError, NotFoundError

from labs.servers.process import wait_until
from simulator.evidence.history import FAIL, FINAL_READER, INFO, OK, UNKNOWN, History

from .background import Background

REFUSALS = (BadRequestError, NotFoundError, MaxPayloadError)  # the server, or the client for it, said no
TROUBLES = (Error, TimeoutError)  # nobody knows; the client lets a few of asyncio's own timeouts through
DUPLICATE_WINDOW = 120.0  # JetStream's default, seconds
ATTEMPT = 1.0  # seconds in which an answer must come
PAUSE = 0.1  # seconds between attempts; a stream without a leader refuses at once, and the loop would spin
POLL, BATCH = 1.0, 500


async def connect(urls: list[str], troubles: Counter):
    """A client that never stops trying to reconnect, and counts its troubles instead of printing them."""
    async def count(error: Exception) -> None:
        troubles[type(error).__name__] += 1
    return await nats.connect(urls, error_cb=count, max_reconnect_attempts=-1, reconnect_time_wait=0.1,
                              connect_timeout=1, ping_interval=1, max_outstanding_pings=2)


class Publisher:
    """Sends record after record, each until it is acknowledged."""

    def __init__(self, jetstream, stream: str, history: History, clock, rate: float, deduplicate: bool, patience: float,
                 troubles: Counter):
        self.jetstream, self.stream, self.history, self.clock = jetstream, stream, history, clock
        self.rate, self.deduplicate, self.patience, self.troubles = rate, deduplicate, patience, troubles
        self.name, self.sent, self.repeats, self.stopping = "publisher", 0, 0, False
        self.latest = (-1.0, UNKNOWN)  # when the latest acknowledged record was first sent, and its sequence number

    async def run(self) -> None:
        """Sends what falls due until told to stop."""
        while not self.stopping:
            await asyncio.sleep(max(0.0, self.sent / self.rate - self.clock()))
            await self.send(self.sent)
            self.sent += 1

    async def send(self, value: int) -> None:
        """Sends one record and writes down what is known about it in the end."""
        op, invoked, in_doubt = self.history.op(), self.clock(), False
        while True:
            try:
                ack = await self._attempt(value)
                return self._acknowledged(op, value, invoked, ack)
            except REFUSALS as error:
                return self._record(op, value, INFO if in_doubt else FAIL, invoked, error=type(error).__name__)
            except TROUBLES as error:
                in_doubt = True
                self.troubles[type(error).__name__] += 1
                if self.clock() - invoked > self.patience:
                    return self._give_up(op, value, invoked, error)
            await asyncio.sleep(PAUSE)

    async def _attempt(self, value: int):
        headers = {"Nats-Msg-Id": str(value)} if self.deduplicate else None
        return await self.jetstream.publish(self.stream, str(value).encode(), timeout=ATTEMPT, headers=headers)

    def _acknowledged(self, op, value, invoked, ack) -> None:
        self.repeats += bool(ack.duplicate)  # an earlier attempt had been stored, only its acknowledgement was lost
        self._record(op, value, OK, invoked, ack.seq)
        self.latest = (invoked, ack.seq)

    def _give_up(self, op, value, invoked, error) -> None:
        self._record(op, value, INFO, invoked, error=type(error).__name__)
        self.name = f"publisher-{value + 1}"

    def _record(self, op, value, type, invoked, offset=UNKNOWN, error="") -> None:
        history = self.history
        history.sent(op, history.processes.code(self.name), history.keys.code(self.stream), value, 1, offset, type,
                     history.errors.code(error), invoked, self.clock())


class Reader:
    """Reads a stream from its beginning and keeps its own position, whatever happens to the node that serves it."""

    def __init__(self, jetstream, stream: str, history: History, clock, name: str):
        self.jetstream, self.stream, self.history, self.clock, self.name = jetstream, stream, history, clock, name
        self.next, self.subscription = 1, None
        history.assign(name, [stream], time=clock())

    async def poll(self) -> int:
        """Reads what comes next and writes it down; how many records that were."""
        op, invoked = self.history.op(), self.clock()
        try:
            self.subscription = self.subscription or await self._subscribe()
            messages = await self.subscription.fetch(BATCH, timeout=POLL)
        except TROUBLES:  # nothing new, or nobody there: ask again from where we stopped
            await self._unsubscribe()
            return 0
        for message in messages:
            self._record(op, invoked, message.metadata.sequence.stream, int(message.data))
        return len(messages)

    def _record(self, op, invoked, sequence, value) -> None:
        history = self.history
        process, key = history.processes.code(self.name), history.keys.code(self.stream)
        history.polled(op, process, key, value, 1, sequence, OK, invoked, self.clock())
        self.next = sequence + 1

    async def _subscribe(self):
        # One replica in memory: the position that matters is ours, so the server's half may die with its node.
        config = ConsumerConfig(deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=self.next,
                                ack_policy=AckPolicy.NONE, num_replicas=1, mem_storage=True, inactive_threshold=5)
        return await self.jetstream.pull_subscribe(self.stream, stream=self.stream, config=config)

    async def _unsubscribe(self) -> None:
        subscription, self.subscription = self.subscription, None
        if subscription:
            await subscription.unsubscribe()


class NatsRecorder:
    """Publishes to a stream at a steady rate and reads it back; `history` is what its clients saw.

    `rate` is records a second, `patience` how many seconds the publisher repeats a record before it gives up on it, and
    `deduplicate=False` sends records without an id, so that a repeat may be stored twice.
    """

    def __init__(self, cluster, stream: str = "orders", rate: float = 500.0, deduplicate: bool = True,
                 patience: float = 30.0):
        if not rate > 0:
            raise ValueError(f"rate: {rate!r} records a second is not more than 0")
        if not 0 < patience < DUPLICATE_WINDOW:
            raise ValueError(f"patience: {patience!r} is not between 0 and {DUPLICATE_WINDOW:g} s, the life of an id")
        self.cluster, self.stream, self.rate = cluster, stream, rate
        self.deduplicate, self.patience = deduplicate, patience
        self.history, self.troubles = History(), Counter()
        self.background: Background | None = None

    def start(self) -> NatsRecorder:
        """Creates the stream, one replica a node, and sets publisher and consumer going."""
        self.background = Background()
        try:
            self.background.do(self._open(), timeout=180)
        except BaseException:
            self.background.close()
            raise
        self._tasks = [self.background.start(work) for work in (self.publisher.run(), self._consume())]
        return self

    async def _open(self) -> None:
        self.client = await connect(self.cluster.urls, self.troubles)
        self.jetstream = self.client.jetstream(timeout=5)
        await self._create_stream()
        self.started = time.monotonic()
        self.publisher = Publisher(self.jetstream, self.stream, self.history, self.clock, self.rate, self.deduplicate,
                                   self.patience, self.troubles)
        self.consumer = Reader(self.jetstream, self.stream, self.history, self.clock, "consumer")

    async def _create_stream(self) -> None:
        replicas = len(self.cluster.nodes)
        for _ in range(30):
            try:
                return await self.jetstream.add_stream(name=self.stream, subjects=[self.stream], num_replicas=replicas)
            except TROUBLES as error:  # the cluster has only just chosen its leader
                refusal = error
                await asyncio.sleep(0.5)
        raise refusal

    def clock(self) -> float:
        """Seconds since the recorder started."""
        return time.monotonic() - self.started

    async def _consume(self) -> None:
        while not self.publisher.stopping:
            await self.consumer.poll()

    # While it runs

    def run_for(self, seconds: float) -> None:
        """Lets publisher and consumer work for a while."""
        time.sleep(seconds)
        self._raise_what_failed()

    def wait_for_recovery(self, timeout: float = 180.0) -> float:
        """Seconds until a record sent after this call is acknowledged and the publisher is on time again."""
        called = self.clock()
        seconds = wait_until(lambda: self.publisher.latest[0] > called and self.backlog < 0.1 * self.rate + 1, timeout,
                             f"acknowledgements from stream {self.stream}")
        self._raise_what_failed()
        return seconds

    @property
    def backlog(self) -> float:
        """Records that have fallen due and are not acknowledged yet."""
        return self.clock() * self.rate - self.publisher.sent

    def _raise_what_failed(self) -> None:
        for task in self._tasks:
            if task.done():
                task.result()

    def faults(self) -> list[tuple[float, str, str]]:
        """What was done to the cluster while recording: (seconds since the start, what, node)."""
        return [(when - self.started, what, node) for when, what, node in self.cluster.events if when >= self.started]

    # The end

    def finish(self) -> History:
        """Stops the publisher, reads the stream from its beginning with a fresh client, and returns the history."""
        self.publisher.stopping = True
        for task in self._tasks:
            task.result(self.patience + 60)
        self.history.created[self.history.keys.code(self.stream)] = np.arange(self.publisher.sent) / self.rate
        self.history.drained = self.background.do(self._drain())
        return self.history

    async def _drain(self, patience: float = 120.0) -> bool:
        """Whether a fresh reader reached the end of the stream in time."""
        async with await connect(self.cluster.urls, self.troubles) as client:
            jetstream = client.jetstream()
            reader = Reader(jetstream, self.stream, self.history, self.clock, FINAL_READER)
            deadline, empty = self.clock() + patience, 0
            while self.clock() < deadline:
                empty = 0 if await reader.poll() else empty + 1
                complete = reader.next > self.publisher.latest[1] or empty >= 3  # or acknowledged records are missing
                if complete and reader.next > await self._last_sequence(jetstream):
                    return True
        return False

    async def _last_sequence(self, jetstream) -> float:
        try:
            return (await jetstream.stream_info(self.stream)).state.last_seq
        except TROUBLES:
            return float("inf")  # nobody knows, so the end is not reached

    def stop(self) -> None:
        """Closes the connection and ends the background thread."""
        if self.background:
            self.background.do(self.client.close(), timeout=60)
            self.background.close()

    def __enter__(self) -> NatsRecorder:
        return self.start()

    def __exit__(self, *exception) -> None:
        self.stop()


def publish_latencies(server, seconds: float = 1.5, size: int = 1_000) -> np.ndarray:
    """Seconds from publish to acknowledgement, one record of `size` bytes after another, for a while."""
    async def measure() -> list[float]:
        async with await connect(server.urls, Counter()) as client:
            jetstream = client.jetstream(timeout=10)
            await jetstream.add_stream(name="latency", subjects=["latency"], num_replicas=len(server.nodes))
            times = [time.perf_counter()]
            while times[-1] - times[0] < seconds:
                try:
                    await jetstream.publish("latency", bytes(size))
                except TROUBLES:  # no answer: it is sent again, and waits on
                    continue
                times.append(time.perf_counter())
            return times
    background = Background()
    try:
        return np.diff(background.do(measure(), timeout=120))
    finally:
        background.close()
