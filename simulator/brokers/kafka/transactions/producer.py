"""The application of `Transactions`: gathers for `commit_interval`, sends as records come, commits, begins again."""

from __future__ import annotations

from bisect import bisect_right

from .calls import Thread
from .client import TransactionalClient


class TransactionalProducer(TransactionalClient):
    """One instance; `work` lists (time, key, value) in order. Those of one transactional id share a cursor."""

    def __init__(self, system, name: str, zone: str, transactional_id: str, work: Work):
        super().__init__(system, name, "producer", zone, transactional_id)
        self.work = work
        self.node.on_start, self.node.on_crash = self.start, lambda power_lost: self.crashed()

    def start(self) -> None:
        """A new life: records that were due meanwhile were never sent."""
        self._name_life()
        self.work.skip(self.world.now)
        Thread(self.live())

    @property
    def done(self) -> bool:
        """Whether there is nothing left to do for this instance."""
        return self.operation is None and (self.fenced or not self.node.up or self.work.empty)

    def live(self):
        """Announce, then one transaction after another."""
        error = yield from self.announce()
        number = 0
        while not error and not self.work.empty:
            yield self.sleep(max(0.0, self.work.due - self.world.now))
            number += 1
            error = yield from self.transaction(number)
            if error:
                error = "" if (yield from self.recover(error)) else error

    def transaction(self, number: int):
        """One transaction: sends what comes in a commit interval, then commits or (in turn) aborts; "" or the error."""
        self.begin()
        until = self.world.now + self.settings.commit_interval
        while self.world.now < until:
            error = yield from self.send_all(self.work.take(self.world.now))
            if error:
                return error
            lingers = self.work.due + self.system.linger - self.world.now
            yield self.sleep(min(max(lingers, 1e-6), max(until - self.world.now, 0.0)))
        changed_its_mind = self.settings.abort_every and number % self.settings.abort_every == 0
        return (yield from self.end(commit=not changed_its_mind))


class Work:
    """Records waiting to be sent, in order of time: (time, key, value); values of a key are consecutive."""

    def __init__(self, records: list[tuple[float, int, int]]):
        self.records, self.times, self.cursor = records, [record[0] for record in records], 0

    @property
    def empty(self) -> bool:
        return self.cursor >= len(self.records)

    @property
    def due(self) -> float:
        """When the next record comes into being; for ever away if there is none."""
        return 1e12 if self.empty else self.times[self.cursor]

    def skip(self, now: float) -> None:
        """Forgets what was due before."""
        self.cursor = max(self.cursor, bisect_right(self.times, now, self.cursor) if now else 0)

    def take(self, now: float) -> list[tuple[int, int, int, float]]:
        """What is there by now, a batch a key: (key, first value, count, creation of the first)."""
        end = bisect_right(self.times, now, self.cursor)
        batches: dict[int, list] = {}
        for time, key, value in self.records[self.cursor:end]:
            batches.setdefault(key, []).append((time, value))
        self.cursor = end
        return [(key, of_key[0][1], len(of_key), of_key[0][0]) for key, of_key in batches.items()]
