"""The group coordinator, leader of `__consumer_offsets`: it keeps members, generation and committed offsets.

A member that gives no sign of life for the session timeout is left out: a new generation begins, its partitions go to
the others, and what it still tries to commit under the old generation is refused (KIP-447). Offsets that belong to an
open transaction are pending: whoever asks for them is told to wait. Simplified: a new generation begins at once,
without the barrier of a rebalance (`groups` models that).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..messages import ProducerBatch
from .calls import Call, answer
from .errors import COORDINATOR_NOT_AVAILABLE, ILLEGAL_GENERATION, UNSTABLE_OFFSET_COMMIT

if TYPE_CHECKING:
    from .broker import TransactionalBroker

ENTRY_BYTES = 120
APIS = ("group_heartbeat", "offset_fetch", "offset_commit", "txn_offset_commit")


class GroupCoordinator:
    """The one consumer group of a pipeline, during one broker's term as leader of `__consumer_offsets`."""

    def __init__(self, broker: TransactionalBroker):
        self.broker, self.system, self.settings = broker, broker.system, broker.system.settings
        self.loaded = False

    def serves(self, api: str) -> bool:
        """Whether this coordinator answers such requests."""
        return api in APIS

    # Terms of office

    def load(self, leadership, event: int) -> None:
        """Reads generations and offsets from the log; the members of the last generation get a new session."""
        self.leadership, self.loaded = leadership, True
        self.generation, self.members, self.safe_generation = 0, (), 0
        for batch in leadership.log.batches:
            if not batch.marker and batch.content[0] == "generation":
                _, self.generation, self.members = batch.content
        self.safe_generation = self.generation
        self.seen = dict.fromkeys(self.members, self.broker.world.now)
        self._committed: dict[int, int] = {}
        self._applied = 0  # how many batches of the log are in it
        self.broker.note(self.system.calls["coordinates"], leadership.key, event, epoch=leadership.epoch)
        if self.system.inputs:
            self.broker.node.after(self.settings.session_timeout / 3, self._check_sessions, leadership)

    def unload(self) -> None:
        """Another broker coordinates now."""
        self.loaded = False

    @property
    def committed(self) -> dict[int, int]:
        """The committed offsets: what a `read_committed` reader of the log would find."""
        log = self.leadership.log
        while self._applied < len(log.batches) and log.batches[self._applied].offset < log.stable_offset:
            batch = log.batches[self._applied]
            aborted = log.transactions and log.transactions.was_aborted(batch)
            if not batch.marker and batch.content[0] == "offsets" and not aborted:
                self._committed.update(batch.content[1])
            self._applied += 1
        return self._committed

    def _unstable(self, keys) -> bool:
        """Whether anything that is not decided yet might change the offsets of these partitions."""
        log = self.leadership.log
        return any(not batch.marker and batch.content[0] == "offsets" and set(keys) & set(batch.content[1])
                   for batch in log.batches[log.index_of(log.stable_offset):])

    # Members

    def on_group_heartbeat(self, call: Call, event: int) -> None:
        """A sign of life, answered with the generation and the member's partitions in it."""
        member = call.body
        self.seen[member] = self.broker.world.now
        if member not in self.members:
            self._begin_generation(tuple(sorted((*self.members, member))), event)
        if self.safe_generation < self.generation:
            answer(self.broker, call, COORDINATOR_NOT_AVAILABLE, cause=event)  # it will ask again
            return
        mine = [key for place, key in enumerate(self.system.inputs)
                if self.members[place % len(self.members)] == member]
        answer(self.broker, call, value=(self.generation, mine), cause=event)

    def _check_sessions(self, leadership) -> None:
        if not self._serves(leadership):
            return
        limit = self.broker.world.now - self.settings.session_timeout
        alive = tuple(member for member in self.members if self.seen[member] > limit)
        if alive != self.members:
            self._begin_generation(alive, -1)
        self.broker._flush()
        self.broker.node.after(self.settings.session_timeout / 3, self._check_sessions, leadership)

    def _begin_generation(self, members: tuple[str, ...], event: int) -> None:
        self.generation, self.members = self.generation + 1, members
        noted = self.broker.note(self.system.calls["generation"], -1, event, value=self.generation,
                                 text=", ".join(members) or "no members")
        self._write_generation(self.leadership, self.generation, noted)

    def _write_generation(self, leadership, generation: int, event: int) -> None:
        def written(error: str, _, cause: int) -> None:
            if error and self._serves(leadership):
                self.broker.node.after(0.1, self._write_generation, leadership, generation, cause)
            elif not error:
                self.safe_generation = max(self.safe_generation, generation)
        if self._serves(leadership) and generation == self.generation:
            self.broker.write(leadership.key, self._entry(("generation", generation, self.members)), written, event)

    def _serves(self, leadership) -> bool:
        return self.loaded and self.leadership is leadership

    # Offsets

    def on_offset_fetch(self, call: Call, event: int) -> None:
        """Committed offsets; not while an open transaction may still change them."""
        if self._unstable(call.body):
            answer(self.broker, call, UNSTABLE_OFFSET_COMMIT, cause=event)
        else:
            answer(self.broker, call, value={key: self.committed.get(key, 0) for key in call.body}, cause=event)

    def on_offset_commit(self, call: Call, event: int) -> None:
        """A member commits offsets on their own, apart from what it has produced."""
        member, generation, offsets = call.body
        if self._refusal(member, generation):
            answer(self.broker, call, ILLEGAL_GENERATION, cause=event)
            return
        self.broker.write(self.leadership.key, self._entry(("offsets", offsets)), self._answerer(call), event)

    def on_txn_offset_commit(self, call: Call, event: int) -> None:
        """A member commits offsets inside its transaction: pending until the marker."""
        member, generation, offsets, producer, sequence = call.body
        batch = self._entry(("offsets", offsets))
        (batch.producer_id, batch.producer_epoch), batch.sequence, batch.transactional = producer, sequence, True
        self.broker.admit(self.leadership.key, batch, self._answerer(call), event,
                          lambda: self._refusal(member, generation))

    def _answerer(self, call: Call):
        return lambda error, _, cause: answer(self.broker, call, error, cause=cause)

    def _refusal(self, member: str, generation: int) -> str:
        return "" if member in self.members and generation == self.generation else ILLEGAL_GENERATION

    def _entry(self, content: tuple) -> ProducerBatch:
        batch = ProducerBatch(self.leadership.key, -1, 1, ENTRY_BYTES, -1, -1, self.broker.world.now)
        batch.content = content
        return batch
