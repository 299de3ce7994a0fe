"""Producers that are refused, and consumers that meet a record which they cannot read."""

from __future__ import annotations

from dataclasses import replace

from ...evidence.history import FAIL, UNKNOWN
from ..warpstream import clients
from ..warpstream.files import Batch, Entry
from .broker import INVALID

ERROR = "INVALID_RECORD"


class Producer(clients.Producer):
    """Drops what is refused and goes on: the same bytes would be refused again."""

    def _record(self, batch: Batch, type: int, offset: int = UNKNOWN, event: int = -1) -> None:
        if offset == INVALID:
            self._refused("rejected", batch, event)
        else:
            super()._record(batch, type, offset, event)

    def keep_back(self, batch: Batch) -> None:
        """The library refuses a record before it is sent."""
        self._refused("kept_back", batch, -1)

    def _refused(self, kind: str, batch: Batch, cause: int) -> None:
        now, counts, schema = self.world.now, self.world.meters.counts, self.system.schema
        self.history.sent(batch.op, self.process, batch.key, batch.value, batch.count, UNKNOWN, FAIL,
                          self.history.errors.code(ERROR), batch.invoked, now, batch.event)
        self.world.trace.add(now, getattr(self.kinds, kind), self.node.code, -1, batch.key, cause, -1, batch.count, -1,
                             batch.value)
        counts["records refused"] += batch.count
        counts["conforming records refused"] += batch.count - schema.count(batch.key, batch.value, batch.count)


class Consumer(clients.Consumer):
    """Dies of a record that it cannot read, or skips it."""

    restarting = False    # between such a death and the next life

    def on_polled(self, message: tuple, event: int) -> None:
        """Records up to the first that cannot be read; that one is never done, so it comes again."""
        poll, found = message
        if poll is not self.poll:
            return
        found = [(key, self._rest(key, entry)) for key, entry in found]
        readable, poison = self._readable(found, event)
        super().on_polled((poll, readable), event)
        if poison:
            self._die(*poison, event)

    def _rest(self, key: int, entry: Entry) -> Entry:
        """What of a batch this consumer has not had yet."""
        return self._part(entry, max(self.positions[key] - entry.offset, 0), entry.count)

    def _part(self, entry: Entry, start: int, end: int) -> Entry:
        return replace(entry, offset=entry.offset + start, value=entry.value + start, count=end - start)

    def _readable(self, found: list, event: int) -> tuple[list, tuple | None]:
        """The part of an answer before the record that kills, and where that is."""
        readable = []
        for key, entry in found:
            poison = self.system.schema.count(key, entry.value, entry.count)
            if poison and not self.system.skipping:
                at = self.system.schema.first(key, entry.value, entry.count) - entry.value
                before = [(key, self._part(entry, 0, at))] if at else []
                return readable + before, (key, entry.offset + at)
            if poison:
                self._say("skipped", key, entry.offset, poison, event)
                self.world.meters.counts["poison records skipped"] += poison
            readable.append((key, entry))
        return readable, None

    def _die(self, key: int, offset: int, event: int) -> None:
        self._say("poisoned", key, offset, 1, event)
        self.world.meters.counts["consumer crashes"] += 1
        self.restarting = True
        self.node.crash()
        self.world.after(self.config.restart_delay, self.node.restart)
        self.system.poisoned(self)

    def _started(self) -> None:
        self.restarting = False
        super()._started()

    def _say(self, kind: str, key: int, offset: int, count: int, event: int) -> None:
        self.world.trace.add(self.world.now, getattr(self.kinds, kind), self.node.code, -1, key, event, offset, count)
