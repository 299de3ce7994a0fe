"""The application of `Pipeline`: read, transform, write, commit; in a transaction exactly once, else at least once."""

from __future__ import annotations

from ....evidence.history import INFO, OK
from ....kernel.distributions import Fixed
from .calls import Thread
from .client import Operation, TransactionalClient
from .errors import ILLEGAL_GENERATION

NOTHING_NEW = 0.01  # seconds between looks for new records
READ_BYTES = 1_048_576


class Worker(TransactionalClient):
    """One member of the group: every record of its inputs becomes one record of the output with the same number."""

    def __init__(self, system, name: str, zone: str):
        super().__init__(system, name, "consumer", zone, f"pipeline-{name}")
        self.node.on_start, self.node.on_crash = self.start, lambda power_lost: self.crashed()
        self.transactional, work = self.settings.exactly_once, system.workload.work
        self._work = None if work == Fixed(0.0) else self.world.sampler(f"work/{name}", work)

    def start(self) -> None:
        """A new life: a member again, with whatever the group gives it."""
        self._name_life()
        self.generation, self.keys, self.position = 0, [], {}
        Thread(self._beat())
        Thread(self.live())

    # Membership

    def _beat(self):
        """Heartbeats, for as long as the process works: one that is fenced stops, and its partitions go to others."""
        while not self.fenced:
            error = yield from self._heartbeat()
            yield self.sleep(self.settings.session_timeout / 3 if not error else self.settings.retry_backoff)

    def _heartbeat(self):
        error, given = yield self.request(self.system.offsets_key, "group_heartbeat", self.node.name)
        if not error and given[0] > self.generation:
            self._take(*given)
        return error

    def _take(self, generation: int, keys: list[int]) -> None:
        if self.generation:
            self._note("lost_partitions")
        self.generation, self.keys, self.position = generation, keys, {}
        self.history.subscribe(self.history.processes[self.process], [self.history.keys[key] for key in keys],
                               self.world.now)

    # Work

    def live(self):
        """One round after another: positions, records, results, commit."""
        error = (yield from self.announce()) if self.transactional else self._another_producer()
        while not error:
            if not (yield from self._find_positions()):
                yield self.sleep(NOTHING_NEW)
                continue
            generation, records = self.generation, (yield from self._read())
            if not records:
                yield self.sleep(NOTHING_NEW)
                continue
            error = yield from self._round(generation, records)
            if error == ILLEGAL_GENERATION and generation == self.generation:
                self.keys = []  # they may be somebody else's by now: ask before doing anything more
                yield from self._heartbeat()
            if error:
                self.position = {}  # back to what is committed
                goes_on = (yield from self.recover(error)) if self.transactional else not self._another_producer(error)
                error = "" if goes_on else error

    def _another_producer(self, error: str = "") -> str:
        """Without transactions: an idempotent producer that nobody has heard of; nothing can go wrong with that."""
        if self.operation:
            self.finish(INFO, error)
        self.producer, self.sequences = (self.system.new_producer_id("", self.node), 0), {}
        return ""

    def _find_positions(self):
        """Begins at the committed offsets of the partitions it has; whether it has any and knows where to begin."""
        generation, missing = self.generation, [key for key in self.keys if key not in self.position]
        if missing:
            error, offsets = yield from self.insist(self.system.offsets_key, "offset_fetch", missing)
            if error or generation != self.generation:
                return False
            self.position |= offsets
        return bool(self.keys)

    def _read(self):
        """The next records of each partition: [(key, offset, value, count, time)]."""
        found, room = [], self.settings.max_poll_records
        for key in self.keys:
            if key not in self.position or not room:
                continue
            error, batches = yield self.request(key, "read", (key, self.position[key], READ_BYTES))
            for batch in batches or ():
                skip = max(self.position.get(key, batch.end) - batch.offset, 0)
                count = min(batch.count - skip, room)
                if count > 0:
                    found.append((key, batch.offset + skip, batch.value + skip, count, self.world.now))
                    self.position[key] = batch.offset + skip + count
                    room -= count
        return found

    def _round(self, generation: int, records: list[tuple]):
        """Works on records and commits their results and their offsets; "" or the error."""
        self._begin(records)
        if self._work:
            yield self.sleep(sum(self._work() for _ in range(sum(record[3] for record in records))))
        results: dict[int, list] = {}
        for key, _, value, count, _ in records:
            results.setdefault(key, []).append((value, count))
        offsets = {key: offset + count for key, offset, _, count, _ in records}
        for batches in self._in_turns(results):
            error = yield from self.send_all(batches)
            if error:
                return error
        if not self.transactional:
            return (yield from self._commit_afterwards(generation, offsets))
        error = yield from self.commit_offsets(self.node.name, generation, offsets)
        if error:
            return error
        yield self.sleep(max(0.0, self.operation.began + self.settings.commit_interval - self.world.now))
        return (yield from self.end(commit=True))

    def _begin(self, records: list[tuple]) -> None:
        if self.transactional:
            self.begin()
        else:
            self.operation = Operation(self.history.op(), self.world.now, -1)
            self.operation.asked = self.world.now
        for key, offset, value, count, time in records:
            got = self.world.trace.add(time, self.system.kinds.deliver, self.node.code, -1, key, -1, offset,
                                       count, -1, value)
            self.operation.polls.append((key, value, count, offset, time, got))

    def _in_turns(self, results: dict[int, list]) -> list[list[tuple]]:
        """Batches of results such that no turn has two for one partition."""
        created = self.history.created
        turns = max(len(of_key) for of_key in results.values())
        return [[(self.system.output_of[key], *of_key[turn], float(created[key][of_key[turn][0]]))
                 for key, of_key in results.items()
                 if turn < len(of_key)] for turn in range(turns)]

    def _commit_afterwards(self, generation: int, offsets: dict[int, int]):
        """At least once: the results are safe, now the offsets; if it dies in between, the work is redone."""
        self.finish(OK)
        body = self.node.name, generation, offsets
        error, _ = yield from self.insist(self.system.offsets_key, "offset_commit", body)
        return error if error == ILLEGAL_GENERATION else ""
