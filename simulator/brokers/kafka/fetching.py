"""Fetching, from both ends: the session that a leader keeps for a fetcher, and the loop in which a follower fetches.

Source: KIP-227 (incremental fetch sessions), KIP-101, KIP-279 and KIP-595 (truncation where logs diverge).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import nearby
from .messages import NO_ERROR, REQUEST_OVERHEAD, Fetch, Fetched
from .reconciliation import UNKNOWN

if TYPE_CHECKING:
    from .broker import Broker
    from .log import Log

MAX_PARTITION_BYTES = 1024 * 1024       # replica.fetch.max.bytes
SOCKET_TIMEOUT = 30.0                   # replica.socket.timeout.ms


class Session:
    """A leader's view of one fetcher, follower or consumer: its positions, what is new for it, its parked fetch."""

    def __init__(self, client, follower: int, max_wait: float, max_partition_bytes: int, handler,
                 read_committed: bool = False):
        self.client, self.follower, self.max_wait, self.handler = client, follower, max_wait, handler
        self.max_partition_bytes, self.read_committed = max_partition_bytes, read_committed
        self.incarnation = client.node.incarnation  # the life in which the fetcher opened it
        self.link = None                   # the way back to the client
        self.positions: dict[int, int] = {}
        self.fresh: dict[int, int] = {}    # partition -> the event that made something new for this fetcher
        self.stale: dict[int, int] = {}    # partition -> the event by which this follower's high watermark fell behind
        self.gone: dict[int, int] = {}     # partition -> the event by which this broker stopped leading it
        # partition -> what came from the object store, None while it is on its way (KIP-405)
        self.cold: dict[int, list | None] = {}
        # the zone of a consumer that would rather read from a replica there (KIP-392)
        self.rack = ""
        self.parked_until = -1.0           # when the parked fetch must be answered, negative if none is parked
        self.timer_set = False
        self.event = -1                    # the fetch that is parked

    def limit(self, log: Log) -> int:
        """How far this consumer may read: the high watermark or, for committed records only, the last stable offset."""
        return log.stable_offset if self.read_committed else log.high_watermark


class Fetcher:
    """A follower's fetch loop towards one leader: one request at a time, the next as soon as the last was answered."""

    def __init__(self, broker: Broker, leader: Broker):
        self.broker, self.leader = broker, leader
        self.partitions: dict[int, int] = {}   # partition -> leader epoch
        self.moved: dict[int, None] = {}       # partitions whose position the leader does not know yet
        # partitions that ask once a term where their log leaves the leader's (before KIP-320)
        self.asking: dict[int, None] = {}
        self.full = True                       # the next fetch names all partitions, in a new session
        self.session: Session | None = None
        self.attempt = 0
        self.busy = False
        self.sent_at = 0.0

    def send_if_idle(self, cause: int = -1) -> None:
        """Fetches, unless a fetch is under way or nothing is to follow; other partitions begin a new session."""
        if self.partitions and (self.full or not self.busy):
            self.send(cause)

    def check(self, now: float) -> None:
        """Gives up a fetch that has been under way for too long (`replica.socket.timeout.ms`)."""
        if self.busy and self.partitions and now - self.sent_at > SOCKET_TIMEOUT:
            self.retry()

    def send(self, cause: int) -> None:
        broker = self.broker
        if self.full:
            self.attempt += 1
            self.session = Session(broker, broker.index, broker.config.replica_fetch_wait_max, MAX_PARTITION_BYTES,
                                   self._handler(self.attempt))
        keys = list(self.partitions) if self.full else [key for key in self.moved if key in self.partitions]
        logs, always, asking = broker.logs, broker.rules.fences, self.asking
        positions = [(key, logs[key].end_offset, logs[key].last_epoch if always or key in asking else UNKNOWN,
                      self.partitions[key])
                     for key in keys]
        fetch = Fetch(self.session, positions, self.full)
        self.moved, self.full, self.busy, self.sent_at = {}, False, True, broker.world.env._now
        broker.link(self.leader.node).send(broker.kinds.fetch, self.leader.on_fetch, fetch,
                                           REQUEST_OVERHEAD + 20 * len(positions), cause)

    def _handler(self, attempt: int):
        """The handler of this session's answers; those to an abandoned session, or to the last life, are ignored."""
        life = self.broker.node.incarnation

        def handle(parts: list[Fetched], event: int) -> None:
            if attempt == self.attempt and life == self.broker.node.incarnation:
                if self.broker.config.flush_every_batch and any(batches for _, batches, *_ in parts):
                    self.broker.node.after(self.broker.disk.fsync(), self._apply, attempt, parts, event)
                else:
                    self._apply(attempt, parts, event)
        return handle

    def _apply(self, attempt: int, parts: list[Fetched], event: int) -> None:
        if attempt != self.attempt:
            return
        broker, failed, now = self.broker, False, self.broker.world.env._now
        record, kinds, node = broker.record, broker.kinds, broker.node.code
        for key, batches, high_watermark, diverged, error in parts:
            if key not in self.partitions:
                continue
            log = broker.logs[key]
            if error is not NO_ERROR:
                if diverged:
                    broker.tiers.begin_anew(key, diverged, event)
                    self.moved[key] = None
                else:
                    failed = True
                continue
            if self.asking and not (diverged and broker.rules.iterates):
                self.asking.pop(key, None)
            if diverged:
                broker.truncate(key, broker.rules.cut(log, diverged), event)
                self.moved[key] = None
                continue
            if batches:
                for batch in batches:
                    log.append(batch, now)
                first = batches[0]
                record(now, kinds.replicate, node, -1, key, event, first.offset, log.end_offset - first.offset,
                       first.epoch, first.value)
                self.moved[key] = None
            known = min(high_watermark, log.end_offset)
            if known > log.high_watermark:
                record(now, kinds.high_watermark, node, -1, key, event, known, 0, self.partitions[key])
                log.high_watermark = known
                if key in broker.readers:
                    nearby.moved(broker, key, event)
        if broker.woken:
            broker._flush()
        if failed:
            self.retry()
        else:
            self.send(event)

    def retry(self) -> None:
        """Starts again with a new session after the back-off."""
        self.attempt += 1
        self.full, self.busy = True, True
        self.broker.node.after(self.broker.config.replica_fetch_backoff, self._retry, self.attempt)

    def _retry(self, attempt: int) -> None:
        if attempt == self.attempt:
            self.busy = False
            self.send_if_idle()
