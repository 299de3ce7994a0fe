"""Producers and readers of a Kafka topic, every operation in a History that the checks can judge.

The clients are librdkafka's, through `confluent-kafka`; all they need is a bootstrap address, so the broker may be
Apache Kafka, librdkafka's mock cluster or anything else that speaks the protocol. Members of consumer groups:
kafka_group.py.

What an answer means, and what is written down:

- One record is one operation, sent to a partition of our choice. A delivery report without an error is `ok`; under
  acks=0 that only means that the record was written to a socket, and its offset is unknown.
- Errors with which a broker refuses a record whatever happened before (too large, not allowed) are `fail`. A producer
  that does not retry may also believe a refusal before the append, such as NOT_ENOUGH_REPLICAS. After anything else, a
  timeout above all, nobody knows: `info`. librdkafka does not tell how often it had already tried.
- The records of a transaction are one operation, and the commit decides about all of them: `ok`, `fail` if it was
  aborted, `info` if the answer of the commit never came.
- A record is created when it falls due, also while nobody answers, so latency includes the wait of an outage.

Key: topic-partition, "orders-0". Value: 0, 1, 2, ... within its partition. Times: seconds since the recording began.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, wait
from math import inf
from threading import Lock, Thread

import numpy as np
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from labs.servers.process import wait_until
from simulator.evidence.history import FAIL, FINAL_READER, INFO, OK, TYPES, UNKNOWN, History
from simulator.evidence.policy import Guarantees

LOGGER = logging.Logger("librdkafka", logging.CRITICAL + 1)  # brokers that die are the lesson, not news
REFUSALS = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG, KafkaError.INVALID_RECORD,
            KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION}
NOT_APPENDED = {KafkaError.NOT_ENOUGH_REPLICAS, KafkaError.NOT_LEADER_FOR_PARTITION,
                KafkaError.UNKNOWN_TOPIC_OR_PART}  # refused this time; an earlier attempt may have been stored
FENCED = {KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH,
          KafkaError.TRANSACTION_COORDINATOR_FENCED}


def settings(bootstrap: str, options: dict) -> dict:
    """librdkafka's configuration: options named with underscores for dots (`linger_ms=5`)."""
    dotted = {name.replace("_", "."): value for name, value in options.items()}
    return {"bootstrap.servers": bootstrap, "logger": LOGGER, **dotted}


class Recording:
    """A topic, the history of its clients, and what they share: a clock, a lock and the numbers of records."""

    def __init__(self, bootstrap: str, topic: str = "orders", history: History | None = None):
        self.bootstrap, self.topic, self.history = bootstrap, topic, history or History()
        self.partitions = count_partitions(bootstrap, topic)
        self.lock, self.started, self.troubles = Lock(), time.monotonic(), Counter()
        self.keys = [f"{topic}-{partition}" for partition in range(self.partitions)]
        self.codes = [self.history.keys.code(key) for key in self.keys]
        self.created: list[list[float]] = [[] for _ in self.keys]

    def clock(self, now: float | None = None) -> float:
        """Seconds since the recording began, now or at a moment of `time.monotonic()`."""
        return (time.monotonic() if now is None else now) - self.started

    def op(self) -> int:
        """The number of the next operation."""
        with self.lock:
            return self.history.op()

    def new_value(self, partition: int, created: float) -> int:
        """The next record of a partition."""
        with self.lock:
            self.created[partition].append(created)
            return len(self.created[partition]) - 1

    def sent(self, op, process, partition, value, type, invoked, offset=UNKNOWN, error="") -> None:
        """Writes down what became of one record."""
        with self.lock:
            history = self.history
            history.sent(op, history.processes.code(process), self.codes[partition], value, 1, offset, type,
                         history.errors.code(error), invoked, self.clock())
            if error:
                self.troubles[error] += 1

    def transaction(self, op: int, process: str, type: int, began: float, asked: float) -> None:
        """Writes down what became of the operation that was one transaction."""
        with self.lock:
            self.history.transactions.append(op, self.history.processes.code(process), type, began, asked,
                                             self.clock(), -1)

    def polled(self, process: str, records: list[tuple[int, int, int]], invoked: float, completed: float) -> None:
        """Writes down one poll of (partition, offset, value) in the order in which they came."""
        with self.lock:
            op, code = self.history.op(), self.history.processes.code(process)
            for partition, offset, value, count in runs(records):
                self.history.polled(op, code, self.codes[partition], value, count, offset, OK, invoked, completed)

    def mark(self, what: str, process: str, partitions=(), when: float | None = None) -> None:
        """Writes down that a process was assigned partitions (`assign`, `subscribe`) or died (`crash`)."""
        with self.lock:
            keys = [[self.keys[partition] for partition in partitions]] if what != "crash" else []
            getattr(self.history, what)(process, *keys, time=self.clock(when))

    def close(self, drained: bool) -> History:
        """The history, with the times at which its records came into being."""
        with self.lock:
            self.history.drained = drained
            self.history.created.update((code, np.array(times)) for code, times in zip(self.codes, self.created))
        return self.history


def runs(records: list[tuple[int, int, int]]) -> list[tuple[int, int, int, int]]:
    """(partition, offset, value) joined to (partition, offset, value, count) where both numbers go up by one."""
    joined: list[list[int]] = []
    for partition, offset, value in records:
        if joined and joined[-1][:3] == [partition, offset - joined[-1][3], value - joined[-1][3]]:
            joined[-1][3] += 1
        else:
            joined.append([partition, offset, value, 1])
    return [tuple(run) for run in joined]


def count_partitions(bootstrap: str, topic: str, timeout: float = 60.0) -> int:
    """How many partitions a topic has."""
    found = Producer(settings(bootstrap, {})).list_topics(topic, timeout=timeout).topics[topic]
    if found.error:
        raise ValueError(f"topic: {topic!r} is not there ({found.error.name()}); create it first")
    return len(found.partitions)


def known(offset: int | None) -> int:
    """A record's offset; librdkafka has several ways to say that nobody told it."""
    return UNKNOWN if offset is None or offset < 0 else offset


class Sender:
    """A producer that numbers its records and writes down what became of each.

    `idempotence` None is on whenever acks="all", as in Kafka's own clients (librdkafka's default is off); other options
    are librdkafka's, with underscores for dots. With a `transactional_id`, between `begin` and `commit` or `abort`.
    """

    def __init__(self, recording: Recording, name: str = "producer", *, acks: int | str = "all",
                 idempotence: bool | None = None, transactional_id: str | None = None, **options):
        if acks not in (0, 1, "all"):
            raise ValueError(f"acks: {acks!r} is not 0, 1 or 'all'")
        self.idempotent = acks == "all" if idempotence is None else idempotence
        if self.idempotent and acks != "all":
            raise ValueError(f"idempotence: True needs acks='all', not {acks!r}")
        self.recording, self.name, self.acks, self.options = recording, name, acks, options
        if transactional_id:
            options = {"transactional_id": transactional_id, **options}
        self.sent, self.fenced, self.stopping = 0, False, False
        self.latest = [-1.0] * recording.partitions  # when the latest acknowledged record of each was sent
        self._transaction: Transaction | None = None
        self.producer = Producer(settings(recording.bootstrap, {"acks": acks, "enable_idempotence": self.idempotent,
                                                                **options}))
        if transactional_id:
            self._call(self.producer.init_transactions, 120)

    @property
    def in_order(self) -> bool:
        """Whether records stay in the order in which they were sent, retries or not."""
        return self.idempotent or self.options.get("max_in_flight", self.options.get("retries", 2)) in (0, 1)

    def send(self, count: int = 1, partition: int | None = None, created: float | None = None) -> None:
        """Hands over records, to one partition or to each in turn; reports come later (`flush`, or while running)."""
        for _ in range(count):
            self._send(self.sent % self.recording.partitions if partition is None else partition, created)
            self.sent += 1
        self._serve(self.producer.poll, 0)

    def _send(self, partition: int, created: float | None) -> None:
        recording, transaction, invoked = self.recording, self._transaction, self.recording.clock()
        value = recording.new_value(partition, invoked if created is None else created)
        op = transaction.op if transaction else recording.op()

        def report(error, message) -> None:
            self._reported(op, partition, value, invoked, error, message, transaction)
        while True:
            try:
                return self.producer.produce(recording.topic, str(value).encode(), partition=partition,
                                             on_delivery=report)
            except BufferError:  # a full queue waits
                self._serve(self.producer.poll, 0.1)
            except KafkaException as refusal:  # never left this process: the producer is fenced, or out of order
                self._note(refusal.args[0])
                return recording.sent(op, self.name, partition, value, FAIL, invoked, error=refusal.args[0].name())

    def _reported(self, op, partition, value, invoked, error, message, transaction) -> None:
        if error:
            self._note(error)
        if transaction:
            transaction.records.append((partition, value, known(message.offset())))
        elif error:
            self.recording.sent(op, self.name, partition, value, self._failure(error), invoked, error=error.name())
        else:
            self.latest[partition] = max(self.latest[partition], invoked)
            # under acks=0 librdkafka counts up from "unknown", past 0 in a large batch
            offset = known(message.offset()) if self.acks else UNKNOWN
            self.recording.sent(op, self.name, partition, value, OK, invoked, offset)

    def _failure(self, error: KafkaError) -> int:
        once = self.options.get("retries") == 0
        return FAIL if error.code() in REFUSALS or (once and error.code() in NOT_APPENDED) else INFO

    def _serve(self, action: Callable, timeout: float):
        """`poll` or `flush`; both raise once when the producer is fenced for good, and callbacks may trip over that."""
        try:
            return action(timeout)
        except (KafkaException, SystemError) as problem:
            fatal = problem if isinstance(problem, KafkaException) else problem.__cause__
            self._note(fatal.args[0])
            return action(timeout)

    def _note(self, error: KafkaError) -> None:
        self.fenced |= error.code() in FENCED

    def flush(self, timeout: float = 120.0) -> int:
        """Waits for reports; how many records are still without one."""
        return self._serve(self.producer.flush, timeout)

    def run(self, rate: float) -> None:
        """Sends `rate` records a second until told to stop, whether anybody answers or not."""
        while not self.stopping:
            while self.sent < self.recording.clock() * rate and not self.stopping:
                self.send(created=self.sent / rate)
            self._serve(self.producer.poll, 0.005)

    def give_up(self) -> None:
        """Whatever has no report gets one now: nobody knows."""
        self.producer.purge()
        self.flush(5)

    # Transactions

    def begin(self) -> None:
        """The records sent from here to `commit` or `abort` are one operation."""
        self._call(self.producer.begin_transaction)
        self._transaction = Transaction(self.recording.op(), self.recording.clock())

    def commit(self, timeout: float = 120.0) -> str:
        """Commits, and says what became of the transaction: "ok", "fail" (it was aborted) or "info"."""
        self._transaction.asked = self.recording.clock()
        try:
            self.producer.commit_transaction(timeout)
            return self._end(OK)
        except KafkaException as problem:
            error = problem.args[0]
            self._note(error)
            if not error.txn_requires_abort():  # fenced, or no answer: whoever comes next finds out
                return self._end(INFO, error.name())
            self.producer.abort_transaction(timeout)
            return self._end(FAIL, error.name())

    def abort(self, timeout: float = 120.0) -> str:
        """Aborts; "info" if the answer never came."""
        try:
            self.producer.abort_transaction(timeout)
            return self._end(FAIL)
        except KafkaException as problem:
            self._note(problem.args[0])
            return self._end(INFO, problem.args[0].name())

    def _end(self, type: int, error: str = "") -> str:
        transaction, self._transaction = self._transaction, None
        for partition, value, offset in transaction.records:
            self.recording.sent(transaction.op, self.name, partition, value, type, transaction.invoked, offset, error)
        self.recording.transaction(transaction.op, self.name, type, transaction.invoked, transaction.asked)
        return TYPES[type]

    def _call(self, action: Callable, *arguments) -> None:
        try:
            action(*arguments)
        except KafkaException as problem:
            self._note(problem.args[0])
            raise


class Transaction:
    """An operation whose outcome is still open."""

    def __init__(self, op: int, invoked: float):
        self.op, self.invoked, self.records = op, invoked, []
        self.asked = inf  # when its commit was first asked for


class Reader:
    """Reads every partition from the beginning and keeps its own positions; a member of no group."""

    def __init__(self, recording: Recording, name: str = "consumer", isolation: str = "read_committed", **options):
        self.recording, self.name, self.stopping = recording, name, False
        self.ends: set[int] = set()  # partitions read to their end
        self.consumer = Consumer(settings(recording.bootstrap, {
            "group_id": f"{recording.topic}-{name}", "enable_auto_commit": False, "auto_offset_reset": "earliest",
            "enable_partition_eof": True, "isolation_level": isolation, **options}))
        self.consumer.assign([TopicPartition(recording.topic, p, 0) for p in range(recording.partitions)])
        recording.mark("assign", name, range(recording.partitions))

    def poll(self, timeout: float = 0.1) -> int:
        """Reads what comes next and writes it down; how many records that were."""
        invoked, records = self.recording.clock(), []
        for message in self.consumer.consume(500, timeout):
            if not message.error():
                self.ends.discard(message.partition())
                records.append((message.partition(), message.offset(), int(message.value())))
            elif message.error().code() == KafkaError._PARTITION_EOF:
                self.ends.add(message.partition())
            else:
                self.recording.troubles[message.error().name()] += 1
        if records:
            self.recording.polled(self.name, records, invoked, self.recording.clock())
        return len(records)

    def run(self) -> None:
        """Reads until told to stop."""
        while not self.stopping:
            self.poll()

    def read_to_end(self, patience: float = 120.0) -> bool:
        """Whether every partition was read to its end in time."""
        deadline = time.monotonic() + patience
        while len(self.ends) < self.recording.partitions and time.monotonic() < deadline:
            self.poll()
        return len(self.ends) == self.recording.partitions

    def close(self) -> None:
        """Ends the consumer."""
        self.consumer.close()


def read_all(recording: Recording, isolation: str = "read_committed", patience: float = 120.0) -> History:
    """The finished history: a fresh consumer has read every partition from its beginning to its end."""
    reader = Reader(recording, FINAL_READER, isolation)
    try:
        return recording.close(reader.read_to_end(patience))
    finally:
        reader.close()


class KafkaRecorder:
    """A producer at a steady `rate` (records a second) and a consumer of one topic; `history` is what they saw.

    `acks`, `idempotence` and other options are the producer's (see Sender); `patience` is how many seconds `finish`
    waits for answers.
    """

    def __init__(self, bootstrap: str, topic: str = "orders", rate: float = 300.0, *, patience: float = 120.0,
                 **producer):
        if not rate > 0:
            raise ValueError(f"rate: {rate!r} records a second is not more than 0")
        self.bootstrap, self.topic, self.rate, self.patience, self.options = bootstrap, topic, rate, patience, producer
        self._tasks: list[Future] = []

    def start(self) -> KafkaRecorder:
        """Sets producer and consumer going."""
        self.recording = Recording(self.bootstrap, self.topic)
        self.sender, self.reader = Sender(self.recording, **self.options), Reader(self.recording)
        self.recording.started = time.monotonic()
        self._tasks = [in_background(lambda: self.sender.run(self.rate)), in_background(self.reader.run)]
        return self

    @property
    def history(self) -> History:
        return self.recording.history

    @property
    def troubles(self) -> Counter:
        return self.recording.troubles

    @property
    def guarantees(self) -> Guarantees:
        """What this producer's settings promise; losing what was acknowledged is never part of it."""
        return Guarantees(idempotence=self.sender.idempotent, in_order=self.sender.in_order)

    def run_for(self, seconds: float) -> None:
        """Lets producer and consumer work for a while."""
        time.sleep(seconds)
        self._raise_what_failed()

    def wait_for_recovery(self, timeout: float = 120.0) -> float:
        """Seconds until a record sent after this call has been acknowledged in every partition."""
        called = self.recording.clock()
        seconds = wait_until(lambda: min(self.sender.latest) > called, timeout,
                             f"acknowledgements from all of {self.topic}")
        self._raise_what_failed()
        return seconds

    @property
    def behind(self) -> float:
        """Seconds by which acknowledgements lag behind what falls due, in the partition that is worst off."""
        return self.recording.clock() - min(self.sender.latest) - self.recording.partitions / self.rate

    def faults(self, events) -> list[tuple[float, str, str]]:
        """What was done to a cluster while recording (its `events`): (seconds since the start, what, node)."""
        clock, started = self.recording.clock, self.recording.started
        return [(clock(when), what, node) for when, what, node in events if when >= started]

    def finish(self) -> History:
        """Stops the producer, reads the topic from its beginning with a fresh client, and returns the history."""
        self.sender.stopping = self.reader.stopping = True
        for task in self._tasks:
            task.result(self.patience)
        if self.sender.flush(self.patience):
            self.sender.give_up()
        return read_all(self.recording)

    def stop(self) -> None:
        """Ends the clients; what still has no answer never gets one."""
        if self._tasks:
            self.sender.stopping = self.reader.stopping = True
            wait(self._tasks, self.patience)
            self.sender.give_up()
            self.reader.close()
            self._tasks = []

    def _raise_what_failed(self) -> None:
        for task in self._tasks:
            if task.done():
                task.result()

    def __enter__(self) -> KafkaRecorder:
        return self.start()

    def __exit__(self, *exception) -> None:
        self.stop()


def in_background(work: Callable) -> Future:
    """Runs something in a thread that does not keep a kernel alive; the future holds its result, or what it raised."""
    future = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)
    Thread(target=run, daemon=True).start()
    return future
