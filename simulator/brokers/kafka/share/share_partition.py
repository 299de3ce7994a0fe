"""What a share-partition's leader knows of each record: a state, a delivery count, who has it until when (KIP-932).

No clock and no messages here: every rule is told the time. Offsets from the start offset (SPSO) up to the end offset
(SPEO) are in flight; before them everything is done, behind them nobody has been given anything yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from heapq import heapify, heappop, heappush
from math import inf

Member = tuple[int, int]  # its node, and which of its lives


class State(IntEnum):
    """The states of a record, by Kafka's own numbers."""
    AVAILABLE = 0
    ACQUIRED = 1
    ACKNOWLEDGED = 2
    ARCHIVED = 4

    @property
    def terminal(self) -> bool:
        """Whether the record is done with."""
        return self in (State.ACKNOWLEDGED, State.ARCHIVED)


LEGAL = {State.AVAILABLE: (State.ACQUIRED,), State.ACQUIRED: (State.AVAILABLE, State.ACKNOWLEDGED, State.ARCHIVED),
         State.ACKNOWLEDGED: (), State.ARCHIVED: ()}
OUTCOMES = {"accept": State.ACKNOWLEDGED, "release": State.AVAILABLE, "reject": State.ARCHIVED}


class Record:
    """A record in flight; `writing`: the share coordinator has yet to store its state."""

    __slots__ = ("state", "delivery_count", "member", "deadline", "writing")

    def __init__(self, state: State = State.AVAILABLE, delivery_count: int = 0):
        self.state, self.delivery_count = state, delivery_count
        self.member: Member | None = None
        self.deadline, self.writing = inf, False

    def move(self, state: State) -> None:
        """Changes the state, along the arrows of KIP-932 only."""
        if state not in LEGAL[self.state]:
            raise RuntimeError(f"a record cannot go from {self.state.name} to {state.name}")
        self.state = state


class SharePartition:
    """One partition as one share group sees it. Rules return the offsets whose state must now be stored."""

    def __init__(self, delivery_count_limit: int, max_record_locks: int, start_offset: int = 0,
                 stored: dict[int, tuple[State, int]] | None = None):
        self.delivery_count_limit, self.max_record_locks = delivery_count_limit, max_record_locks
        self.start_offset = start_offset
        self.end_offset = max(stored, default=start_offset - 1) + 1 if stored else start_offset
        known = stored or {}
        self.records = {offset: Record(*known.get(offset, ())) for offset in range(start_offset, self.end_offset)}
        self.available = [offset for offset, record in self.records.items() if record.state == State.AVAILABLE]
        heapify(self.available)
        self.advance()

    @property
    def in_flight(self) -> int:
        """How many of the places for records in flight are taken, also by those that are done but not at the front."""
        return self.end_offset - self.start_offset

    # Acquire

    def acquire(self, member: Member, limit: int, log_end: int, deadline: float,
                batch_end: Callable[[int], int] | None = None) -> list[int]:
        """Gives a member up to `limit` records until the deadline: first those that came back, then new ones.

        With `batch_end` (batch_optimized) new records come in whole batches. A record on its last delivery comes alone.
        """
        taken: list[int] = []
        while self.available and len(taken) < limit:
            count, most = self.records[self.available[0]].delivery_count, self.delivery_count_limit
            last = count == most - 1 and most > 2
            if not (last and taken):
                taken.append(heappop(self.available))
            if last:
                break
        else:
            taken += self._new_records(limit - len(taken), log_end, batch_end)
        for offset in taken:
            record = self.records[offset]
            record.move(State.ACQUIRED)
            record.delivery_count += 1
            record.member, record.deadline = member, deadline
        return taken

    def _new_records(self, limit: int, log_end: int, batch_end: Callable[[int], int] | None) -> range:
        """Records that nobody has had, as far as there is room for more in flight."""
        count = min(limit, log_end - self.end_offset, self.max_record_locks - self.in_flight)
        if count <= 0:
            return range(0)
        first, self.end_offset = self.end_offset, self.end_offset + count
        if batch_end:
            self.end_offset = batch_end(self.end_offset - 1)
        self.records |= {offset: Record() for offset in range(first, self.end_offset)}
        return range(first, self.end_offset)

    # Acknowledge, renew, let go

    def held(self, member: Member, offset: int) -> Record | None:
        """The record, if this member holds it."""
        record = self.records.get(offset)
        return record if record and record.state == State.ACQUIRED and record.member == member else None

    def acknowledge(self, member: Member, offset: int, how: str) -> bool:
        """The member says what became of a record; refused (INVALID_RECORD_STATE) if it no longer holds it."""
        record = self.held(member, offset)
        if record is None:
            return False
        self._leave(record, OUTCOMES[how])
        record.writing = True  # only once it is stored does anything follow from it
        return True

    def renew(self, member: Member, offset: int, deadline: float) -> bool:
        """The member needs more time (KIP-1222)."""
        record = self.held(member, offset)
        if record is not None:
            record.deadline = deadline
        return record is not None

    def expire(self, offsets: Iterable[int], now: float) -> list[int]:
        """Locks that have run out: the records are available at once, or archived if that was their last delivery."""
        over = [offset for offset in offsets if (record := self.records.get(offset)) is not None
                and record.state == State.ACQUIRED and record.deadline <= now]
        for offset in over:
            record = self.records[offset]
            self._leave(record, State.AVAILABLE)
            record.writing = record.state.terminal
            self._offer(offset)
        return over

    def close(self, gone: Callable[[Member], bool]) -> list[int]:
        """Sessions are over: their records come back, as if they had not been delivered (KAFKA-17541)."""
        mine = [offset for offset, record in self.records.items()
                if record.state == State.ACQUIRED and gone(record.member)]
        for offset in mine:
            record = self.records[offset]
            record.delivery_count -= 1
            self._leave(record, State.AVAILABLE)
            record.writing = True
        return mine

    def _leave(self, record: Record, state: State) -> None:
        spent = state == State.AVAILABLE and record.delivery_count >= self.delivery_count_limit
        record.move(State.ARCHIVED if spent else state)
        record.member, record.deadline = None, inf

    # Stored

    def stored(self, offsets: Iterable[int]) -> None:
        """The share coordinator has the state of these records: released ones can be had, finished ones passed."""
        for offset in offsets:
            record = self.records.get(offset)
            if record is not None and record.writing:
                record.writing = False
                self._offer(offset)
        self.advance()

    def _offer(self, offset: int) -> None:
        if self.records[offset].state == State.AVAILABLE:
            heappush(self.available, offset)

    def advance(self) -> None:
        """The start offset goes past every record that is done."""
        while (record := self.records.get(self.start_offset)) and record.state.terminal and not record.writing:
            del self.records[self.start_offset]
            self.start_offset += 1
