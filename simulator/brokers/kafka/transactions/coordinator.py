"""The transaction coordinator: the leader of `__transaction_state`, whose log is its memory.

Every change of state is written to that log and counts once it is replicated; whoever leads the log next reads it and
goes on: a decision that was written is carried out, a transaction that was merely open is aborted when its time is up.
One partition of the topic (Kafka has 50).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..messages import ProducerBatch
from . import state as rules
from .calls import Call, answer
from .errors import (CONCURRENT_TRANSACTIONS, COORDINATOR_NOT_AVAILABLE, INVALID_PRODUCER_EPOCH, NOT_COORDINATOR,
                     TRANSACTION_COORDINATOR_FENCED)
from .state import ONGOING, PREPARED, Transaction

if TYPE_CHECKING:
    from .broker import TransactionalBroker

ENTRY_BYTES = 150
# seconds until a marker that did not get through is sent again (Kafka: request.timeout and a queue a broker)
RETRY = 0.1
APIS = ("init_producer_id", "add_partitions", "end_txn")


class TransactionCoordinator:
    """All transactional ids of one broker's term as leader of `__transaction_state`."""

    def __init__(self, broker: TransactionalBroker):
        self.broker, self.system, self.settings = broker, broker.system, broker.system.settings
        self.loaded = False

    def serves(self, api: str) -> bool:
        """Whether this coordinator answers such requests."""
        return api in APIS

    # Terms of office

    def load(self, leadership, event: int) -> None:
        """Reads the log; decisions that were not carried out to the end are carried out now."""
        self.leadership, self.loaded = leadership, True
        self.known: dict[str, Transaction] = {}
        self.pending: dict[str, None] = {}
        for batch in leadership.log.batches:
            self.known[batch.content.transactional_id] = batch.content
        began = self.broker.note(self.system.calls["coordinates"], leadership.key, event, epoch=leadership.epoch)
        for transaction in list(self.known.values()):
            if transaction.state in PREPARED:
                self._send_markers(transaction, began)
        self.broker.node.after(self.settings.timeout_check, self._check_timeouts, leadership)

    def unload(self) -> None:
        """Another broker coordinates now."""
        self.loaded = False

    def _present(self, leadership) -> bool:
        return self.loaded and self.leadership is leadership and self.broker.coordinators[self.system.state_key] is self

    # Requests

    def on_init_producer_id(self, call: Call, event: int) -> None:
        """A producer instance asks for its producer id and a new epoch."""
        name, timeout, known = call.body
        now = self.known.get(name)
        if name in self.pending:
            answer(self.broker, call, CONCURRENT_TRANSACTIONS, cause=event)
        elif now is None:
            producer_id = self.system.new_producer_id(name, call.caller.node)
            self._reply_when_written(call, Transaction(name, producer_id, 0, timeout=timeout), event)
        else:
            error, following = rules.init_producer_id(now, known)
            if following:
                self.system.came(now.producer_id, call.caller.node)
            if error == CONCURRENT_TRANSACTIONS and following:
                answer(self.broker, call, error, cause=event)  # it will ask again
                self._change(following, event)
            else:
                self._reply(call, error, following, event)

    def on_add_partitions(self, call: Call, event: int) -> None:
        """A producer, or a leader for it, adds partitions to the transaction or asks whether they belong to it."""
        name, producer, partitions, verify_only = call.body
        now = self.known.get(name)
        if now is None or name in self.pending:
            answer(self.broker, call, CONCURRENT_TRANSACTIONS, cause=event)
        elif verify_only:
            answer(self.broker, call, rules.verify(now, producer, partitions)[0], cause=event)
        else:
            self._reply(call, *rules.add_partitions(now, producer, partitions, self.broker.world.now), event)

    def on_end_txn(self, call: Call, event: int) -> None:
        """A producer asks to commit or to abort; once the decision is written it is final, and the answer goes out."""
        name, producer, commit = call.body
        now = self.known.get(name)
        if now is None or name in self.pending:
            answer(self.broker, call, CONCURRENT_TRANSACTIONS, cause=event)
        else:
            asked = f", as asked at {call.sent:.3f} s"
            self._reply(call, *rules.end_transaction(now, producer, commit, self.system.version), event, asked)

    def _reply(self, call: Call, error: str, following: Transaction | None, event: int, asked: str = "") -> None:
        if error or following is None:
            now = self.known[call.body[0]]
            answer(self.broker, call, error, (now.producer_id, now.producer_epoch), cause=event)
        else:
            self._reply_when_written(call, following, event, asked)

    def _reply_when_written(self, call: Call, following: Transaction, event: int, asked: str = "") -> None:
        producer = following.producer_id, following.producer_epoch

        def reply(error: str, cause: int) -> None:
            answer(self.broker, call, error, producer, cause=cause)
        self._change(following, event, reply, asked)

    # Changes of state

    def _change(self, following: Transaction, event: int, then=lambda error, cause: None, asked: str = "") -> None:
        """Writes a state and takes it up when it is replicated; meanwhile requests about it are told to come again."""
        leadership, name = self.leadership, following.transactional_id
        self.pending[name] = None
        batch = ProducerBatch(leadership.key, -1, 1, ENTRY_BYTES, -1, -1, self.broker.world.now)
        batch.content = following

        def written(error: str, _, cause: int) -> None:
            if not self._present(leadership):
                then(NOT_COORDINATOR, cause)
                return
            del self.pending[name]
            if error:
                then(COORDINATOR_NOT_AVAILABLE, cause)
            else:
                then("", self._take_up(following, cause, asked))
        self.broker.write(leadership.key, batch, written, event)

    def _take_up(self, following: Transaction, cause: int, asked: str) -> int:
        self.known[following.transactional_id] = following
        partitions = ", ".join(self.system.names[key] for key in following.partitions)
        state = f"{following.state} ({partitions})" if partitions else following.state
        text = f"{state}, producer epoch {following.producer_epoch}{asked}"
        event = self.broker.note(self.system.calls["transaction"], -1, cause, text=text,
                                 peer=self.system.producer_node(following.producer_id))
        if following.state in PREPARED:
            self._send_markers(following, event)
        return event

    # Carrying a decision out

    def _send_markers(self, transaction: Transaction, cause: int) -> None:
        missing = dict.fromkeys(transaction.partitions)
        for key in transaction.partitions:
            self._send_marker(self.leadership, transaction, key, missing, cause)
        if not missing:
            self._complete(transaction, cause)

    def _send_marker(self, leadership, transaction: Transaction, key: int, missing: dict[int, None],
                     cause: int) -> None:
        if not self._present(leadership):
            return
        marker = "commit" if transaction.commits else "abort"
        body = (key, (transaction.producer_id, transaction.producer_epoch), marker, leadership.epoch)

        def written(error: str, _) -> None:
            if error in (INVALID_PRODUCER_EPOCH, TRANSACTION_COORDINATOR_FENCED):
                return  # somebody newer takes care of it
            if error:
                self.broker.node.after(RETRY, self._send_marker, leadership, transaction, key, missing, cause)
                return
            missing.pop(key, None)
            if not missing:
                self._complete(transaction, cause)
        leader = self.system.coordinator_of(key)
        if leader is None:
            self.broker.node.after(RETRY, self._send_marker, leadership, transaction, key, missing, cause)
        else:
            self.broker.caller.ask(leader, "write_markers", body, written, f"{marker} for {self.system.names[key]}",
                                   cause, key=key)

    def _complete(self, transaction: Transaction, cause: int) -> None:
        """All markers are written: the transaction is over, and its producer may begin another."""
        def done(error: str, event: int) -> None:
            if error == COORDINATOR_NOT_AVAILABLE:
                self.broker.node.after(RETRY, self._complete, transaction, event)
        if self._present(self.leadership) and self.known.get(transaction.transactional_id) == transaction:
            self._change(rules.complete(transaction), cause, done)

    def _check_timeouts(self, leadership) -> None:
        """Aborts the transactions that have been open for too long."""
        if not self._present(leadership):
            return
        now = self.broker.world.now
        for name, transaction in list(self.known.items()):
            overdue = now - transaction.began > transaction.timeout
            if overdue and transaction.state == ONGOING and name not in self.pending:
                self._change(rules.fence(transaction, transaction.producer_epoch), -1)
        self.broker._flush()
        self.broker.node.after(self.settings.timeout_check, self._check_timeouts, leadership)

    @property
    def at_rest(self) -> bool:
        """Whether no transaction is open or being completed."""
        return self.loaded and not self.pending and all(t.state not in (ONGOING, *PREPARED)
                                                        for t in self.known.values())
