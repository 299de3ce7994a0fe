"""A producer's transactional side: announce, begin, send, commit offsets, end.

Every step is a request that is repeated until it is answered. Written as generators (see `calls`): `yield from
client.commit()` returns "" or the error that ended it. Errors are of three sorts: try again after `retry_backoff`;
abort this transaction; or fenced, and then the instance asks for a new epoch and stops if it is refused one (KIP-360,
KIP-588). What the application did goes into the history as one operation a transaction: `ok` is committed, `fail` never
will be, `info` nobody knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf

from ....evidence.history import FAIL, INFO, OK, UNKNOWN
from ..messages import BATCH_OVERHEAD, REQUEST_OVERHEAD, ProducerBatch
from .calls import Caller, thread, together
from .errors import CONCURRENT_TRANSACTIONS, FENCING, NOT_COORDINATOR, RETRIABLE

COMPLETING_BACKOFF = 0.02  # seconds before asking again while the last transaction is still being completed


class Operation:
    """One transaction as its application sees it, until its outcome is known."""

    def __init__(self, op: int, began: float, event: int):
        self.op, self.began, self.event = op, began, event
        self.asked = inf                       # when the commit was first asked for
        self.sends: list[tuple] = []           # (key, value, count, created, [offset, event])
        self.polls: list[tuple] = []           # (key, value, count, offset, time, event)


class TransactionalClient:
    """A producer with a transactional id, on a node of its own."""
    transactional = True

    def __init__(self, system, name: str, role: str, zone: str, transactional_id: str):
        self.system, self.settings, self.world, self.history = system, system.settings, system.world, system.history
        self.version, self.calls, self.transactional_id = system.version, system.calls, transactional_id
        self.node = system.world.node(name, role, zone)
        self.caller = Caller(system.world, self.node, system.calls, self.settings.request_timeout)
        self.node.on_disconnect = self.caller.disconnected
        self.operation: Operation | None = None
        self._name_life()

    def _name_life(self) -> None:
        life = self.node.incarnation
        self.process = self.history.processes.code(self.node.name + (f"/{life + 1}" if life else ""))
        self.producer: tuple[int, int] | None = None
        self.fenced = False
        self.added: dict[int, None] = {}
        self.sequences: dict[int, int] = {}

    def crashed(self) -> None:
        """The process has died: what it had asked to commit may be committed, everything else never will."""
        self.caller.forget()
        if self.operation:
            self.finish(INFO if self.operation.asked < inf else FAIL)

    # Waiting

    def sleep(self, seconds: float) -> Callable:
        """Waits."""
        return lambda callback: self.node.after(seconds, callback, None)

    def request(self, place: int, api: str, body, note: str = "", size: int = REQUEST_OVERHEAD, **about) -> Callable:
        """Asks the broker that leads this partition, once: calls back with (error, value)."""
        def run(callback):
            leader = self.system.coordinator_of(place)
            if leader is None:
                self.node.after(0.0, callback, (NOT_COORDINATOR, None))
            else:
                self.caller.ask(leader, api, body, lambda error, value: callback((error, value)), note,
                                size=size, **about)
        return run

    def insist(self, place: int, api: str, body, note: str = "", size: int = REQUEST_OVERHEAD, **about):
        """Asks again after every retriable error: (error, value); gives up after the delivery timeout."""
        limit = self.world.now + self.settings.delivery_timeout
        while True:
            error, value = yield self.request(place, api, body, note, size, **about)
            if error not in RETRIABLE or self.world.now >= limit:
                return error, value
            yield self.sleep(self._backoff(error))

    def _backoff(self, error: str) -> float:
        return COMPLETING_BACKOFF if error == CONCURRENT_TRANSACTIONS else self.settings.retry_backoff

    # The protocol

    def announce(self, known: tuple[int, int] | None = None):
        """InitProducerId: a new epoch, which ends all that an earlier instance left open; the error, or ""."""
        body = self.transactional_id, self.settings.transaction_timeout, known
        error, producer = yield from self.insist(self.system.state_key, "init_producer_id", body)
        if not error:
            self._adopt(producer)
        return error

    def _adopt(self, producer: tuple[int, int]) -> None:
        if producer != self.producer:  # sequences begin at 0 in every epoch
            self.producer, self.sequences = producer, {}
        self.added = {}

    def begin(self) -> None:
        """Begins a transaction; nobody else hears of it yet."""
        event = self._note("began")
        self.operation = Operation(self.history.op(), self.world.now, event)
        self.added = {}

    def send(self, key: int, value: int, count: int, created: float, size: int):
        """Sends a batch to a partition that was added; the error, "" if it is replicated."""
        operation = self.operation
        entry = (key, value, count, created, [UNKNOWN, -1])
        operation.sends.append(entry)
        batch = self._batch(key, value, count, size)
        error, offset = yield from self.insist(key, "produce", batch, "", size + BATCH_OVERHEAD + REQUEST_OVERHEAD,
                                               key=key, count=count, value=value)
        if not error:
            known = self.world.trace.add(self.world.now, self.system.kinds.acknowledged, self.node.code, -1, key, -1,
                                         offset, count, -1, value)
            entry[4][:] = offset, known
        return error

    def _batch(self, key: int, value: int, count: int, size: int) -> ProducerBatch:
        batch = ProducerBatch(key, value, count, size, self.producer[0], self.operation.op, self.world.now)
        batch.producer_epoch, batch.transactional = self.producer[1], self.transactional
        batch.sequence = self.sequences.get(key, 0)
        self.sequences[key] = batch.sequence + count
        return batch

    def add(self, keys: Iterable[int]):
        """Version 1: the producer tells the coordinator of partitions before it writes. In version 2 leaders do."""
        new = tuple(key for key in keys if key not in self.added)
        if self.version == 2 or not new:
            return ""
        body = self.transactional_id, self.producer, new, False
        error, _ = yield from self.insist(self.system.state_key, "add_partitions", body,
                                          ", ".join(self.system.names[key] for key in new))
        if not error:
            self.added |= dict.fromkeys(new)
        return error

    def send_all(self, batches: list[tuple[int, int, int, float]]):
        """Sends batches (key, value, count, created), all at once; the first error, "" if all are replicated."""
        error = yield from self.add(key for key, *_ in batches)
        if error or not batches:
            return error
        errors = yield together(*(thread(self.send(*batch, batch[2] * self.system.record_bytes)) for batch in batches))
        return next(filter(None, errors), "")

    def commit_offsets(self, member: str, generation: int, offsets: dict[int, int]):
        """Offsets become part of the transaction (AddOffsetsToTxn, TxnOffsetCommit)."""
        key = self.system.offsets_key
        error = yield from self.add([key])
        if error:
            return error
        sequence = self.sequences.get(key, 0)
        self.sequences[key] = sequence + 1
        body = member, generation, offsets, self.producer, sequence
        error, _ = yield from self.insist(key, "txn_offset_commit", body)
        return error

    def end(self, commit: bool):
        """EndTxn, until the coordinator has decided: "" or the error. An abort is recorded whatever the answer."""
        if commit:
            self.operation.asked = self.world.now
        error, producer, doubtful = "", self.producer, False
        if self.operation.sends:
            error, producer, doubtful = yield from self._end(commit)
        if not error:
            self._adopt(producer)
        self.finish(OK if commit and not error else INFO if commit and doubtful else FAIL, error)
        return error

    def _end(self, commit: bool):
        """Asks until there is an answer.

        The error, the producer id and epoch to go on with, and whether an unanswered attempt may have worked.
        """
        body, word = (self.transactional_id, self.producer, commit), "commit" if commit else "abort"
        limit, doubtful = self.world.now + self.settings.delivery_timeout, False
        while True:
            error, producer = yield self.request(self.system.state_key, "end_txn", body, word)
            doubtful = doubtful or error in RETRIABLE
            if error not in RETRIABLE or self.world.now >= limit:
                return error, producer, doubtful
            yield self.sleep(self._backoff(error))

    def recover(self, error: str):
        """After an error: abort; if fenced, ask for a new epoch. Whether this instance may go on."""
        if self.operation and error not in FENCING:
            error = yield from self.end(commit=False)
        elif self.operation:
            self.finish(FAIL if self.operation.asked == inf else INFO, error)
        if error or self.version == 1:  # batches that were not written have left gaps in the sequences of this epoch
            error = yield from self.announce(self.producer)
            while error in RETRIABLE:
                error = yield from self.announce(self.producer)
            self.fenced = error in FENCING
            if self.fenced:
                self._note("fenced_producer", error)
        return not self.fenced

    # The history

    def _note(self, kind: str, text: str = "") -> int:
        return self.world.trace.add(self.world.now, self.calls[kind], self.node.code, note=text)

    def finish(self, outcome: int, error: str = "") -> None:
        """The outcome of the transaction is known, or nobody will ever know it."""
        operation = self.operation
        if not self.transactional:
            self.record(outcome, error)
            return
        event = self._note(("committed", "aborted", "uncertain")[outcome], error if outcome == INFO else "")
        self.record(outcome, error)
        self.history.transactions.append(operation.op, self.process, outcome, operation.began, operation.asked,
                                         self.world.now, event)

    def record(self, outcome: int, error: str = "") -> None:
        """Writes what the operation has sent and read into the history."""
        operation, self.operation = self.operation, None
        now, history = self.world.now, self.history
        code = history.errors.code(error) if error else 0
        for key, value, count, created, (offset, sent) in operation.sends:
            history.sent(operation.op, self.process, key, value, count, offset, outcome, code if outcome != OK else 0,
                         created, now, sent)
        for key, value, count, offset, time, got in operation.polls:
            history.polled(operation.op, self.process, key, value, count, offset, outcome, time, time, got)
