"""The consumer: it fetches to the high watermark from every leader, works through what it polled, and commits offsets.

Members of the group share the partitions out once, round robin; a member that dies is not replaced (rebalancing is a
model of its own). Committed offsets are kept by the group coordinator, which never fails here. After a restart a
consumer continues from its committed offsets, so what it had polled and not committed is delivered again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...evidence.history import OK
from ...kernel.distributions import Fixed
from .fetching import Session
from .messages import NO_ERROR, REQUEST_OVERHEAD, Error, Fetch, Fetched

if TYPE_CHECKING:
    from .cluster import KafkaSystem

RETRY_BACKOFF = 0.1      # retry.backoff.ms
REQUEST_TIMEOUT = 30.0   # request.timeout.ms
METADATA_MAX_AGE = 300.0  # metadata.max.age.ms: after so long a consumer asks the leader again for the nearest replica


class ConsumerClient:
    """One member of the group on its own node."""

    def __init__(self, system: KafkaSystem, number: int, keys: list[int], zone: str = ""):
        self.system, self.config, self.world, self.kinds = system, system.config.consumer, system.world, system.kinds
        self.history, self.keys = system.history, keys
        zones = system.config.zones
        self.node = system.world.node(f"consumer-{number}", "consumer", zone or zones[(number - 1) % len(zones)])
        self.node.on_start, self.node.on_disconnect = self.start, self._disconnected
        work = system.workload.work
        self._work = None if work == Fixed(0.0) else self.world.sampler(f"work/consumer-{number}", work)

    def start(self) -> None:
        """Begins at the committed offsets; each life of the process is a process of its own in the history."""
        life = self.node.incarnation
        self.process = self.history.processes.code(self.node.name + (f"/{life + 1}" if life else ""))
        self.history.assign(self.history.processes[self.process], [self.history.keys[key] for key in self.keys],
                            self.world.now)
        self.position = {key: self.system.first_position(key) for key in self.keys}
        self.processed = dict(self.position)
        self.last_epoch = dict.fromkeys(self.keys, -1)
        self.leaders: dict[int, tuple[int, int]] = {}
        self.feeds: dict[int, Feed] = {}
        self.buffer: list[tuple[int, int, int, int, int, int]] = []  # (key, offset, value, count, epoch, event)
        self.working = self.asking = False
        self.questions = 0
        self.on_metadata(self.system.leaders(), -1)
        self.node.after(self.config.auto_commit_interval, self._commit)

    @property
    def idle(self) -> bool:
        """Whether nothing that was fetched still waits to be worked on."""
        return not self.buffer and not self.working

    # Fetching

    def on_metadata(self, leaders: dict[int, tuple[int, int]], event: int) -> None:
        """Fetches every partition from its present leader; asks again soon while one has none."""
        self.asking = False
        known = {key: leaders[key] for key in self.keys if key in leaders
                 and leaders[key][1] >= self.leaders.get(key, (-1, -1))[1]}
        moved = [key for key, leader in known.items() if leader != self.leaders.get(key)]
        self.leaders.update(known)
        for key in moved:
            for feed in self.feeds.values():
                feed.keys.pop(key, None)
            leader = self.leaders[key][0]
            if leader >= 0:
                if leader not in self.feeds:
                    self.feeds[leader] = Feed(self, self.system.brokers[leader])
                self.feeds[leader].keys[key] = None
                self.feeds[leader].full = True
        for feed in self.feeds.values():
            if feed.full and feed.keys:
                feed.send(event)
        if any(self.leaders.get(key, (-1, -1))[0] < 0 for key in self.keys):
            self.refresh(event)

    def refresh(self, event: int) -> None:
        """Asks some broker who leads what, after a back-off; another one if there is no answer in a second."""
        if not self.asking:
            self.asking = True
            self.questions += 1
            self.node.after(RETRY_BACKOFF, self._ask, event, self.questions, 0)

    def _ask(self, event: int, question: int, tries: int) -> None:
        if not self.asking or question != self.questions:
            return
        target = self.system.brokers[tries % len(self.system.brokers)]
        self.world.network.link(self.node, target.node).send(
            self.kinds.metadata_request, target.on_metadata_request, self, REQUEST_OVERHEAD, event)
        self.node.after(1.0, self._ask, event, question, tries + 1)

    def _disconnected(self, peer) -> None:
        for feed in list(self.feeds.values()):
            if feed.broker.node is peer and feed.keys:
                self.leave(feed)
                feed.retry()
                self.refresh(-1)

    def on_records(self, feed: Feed, parts: list[Fetched], event: int) -> None:
        """Takes over what a fetch brought."""
        failed = False
        for key, batches, _, diverged, error in parts:
            if key not in feed.keys:
                continue
            if error is not NO_ERROR:
                failed = not self._goes_on(feed, key, error, diverged, event) or failed
            elif diverged:
                self._reset(key, diverged, event)
            for batch in batches:
                # a fetch brings whole batches, also if a consumer begins inside one
                skip = self.position[key] - batch.offset
                if batch.hidden and skip < batch.count:
                    self.position[key], self.last_epoch[key] = batch.end, batch.epoch
                    feed.moved[key] = None
                elif skip < batch.count:
                    self.buffer.append((key, batch.offset + max(skip, 0), batch.value + max(skip, 0),
                                        batch.count - max(skip, 0), batch.epoch, event))
                    self.position[key], self.last_epoch[key] = batch.end, batch.epoch
                    feed.moved[key] = None
        if failed:
            feed.retry()
            self.refresh(event)
        elif feed.keys or not self.config.rack:
            feed.due = event
        if not self.working:
            self._poll()
        feed.send_if_due()

    def _goes_on(self, feed: Feed, key: int, error: Error, told: tuple[int, int] | None, event: int) -> bool:
        """Whether this consumer knows what to do about an error without asking for metadata."""
        if error is Error.PREFERRED_READ_REPLICA:
            self._read_from(key, told[1], event)
        elif error is Error.OFFSET_OUT_OF_RANGE:
            # auto.offset.reset=earliest
            self.position[key], self.last_epoch[key] = max(self.position[key], told[1]), -1
            feed.moved[key] = None
            self.world.trace.add(self.world.now, self.kinds.skipped, self.node.code, -1, key, event, self.position[key])
        elif feed.broker.index != self.leaders[key][0]:
            self._read_from(key, self.leaders[key][0], event)
        else:
            return False
        return True

    def _read_from(self, key: int, broker: int, event: int) -> None:
        """Reads this partition from another broker: a replica nearby (KIP-392), or the leader again."""
        for feed in self.feeds.values():
            feed.keys.pop(key, None)
        if broker not in self.feeds:
            self.feeds[broker] = Feed(self, self.system.brokers[broker])
        feed = self.feeds[broker]
        feed.keys[key], feed.full = None, True
        self.world.trace.add(self.world.now, self.kinds.nearby, self.node.code, feed.broker.node.code, key, event,
                             self.position[key])
        if broker != self.leaders[key][0]:
            self.node.after(METADATA_MAX_AGE, self._ask_leader_again, feed, key)
        self.node.after(0.0, self._begin, feed, event)

    def _begin(self, feed: Feed, event: int) -> None:
        if feed.full and feed.keys:
            feed.send(event)

    def _ask_leader_again(self, feed: Feed, key: int) -> None:
        if key in feed.keys and feed.broker.index != self.leaders[key][0] >= 0:
            self._read_from(key, self.leaders[key][0], -1)

    def leave(self, feed: Feed) -> None:
        """Returns to their leaders with the partitions that were read from this broker as a follower."""
        for key in list(feed.keys):
            if feed.broker.index != self.leaders[key][0] >= 0:
                self._read_from(key, self.leaders[key][0], -1)

    def _reset(self, key: int, diverged: tuple[int, int], event: int) -> None:
        """The log is shorter than this consumer's position: back to where it diverged (KIP-320)."""
        epoch, end = diverged
        self.position[key] = min(self.position[key], end)
        self.last_epoch[key] = epoch
        self.feeds[self.leaders[key][0]].moved[key] = None
        self.world.trace.add(self.world.now, self.kinds.reset, self.node.code, -1, key, event, self.position[key])

    # Working

    def _poll(self) -> None:
        """Hands up to `max_poll_records` records to the application, which works on them one by one."""
        if self._work is None:
            for chunk in self.buffer:
                self._deliver(*chunk)
            self.buffer.clear()
            self.processed = self.position
            return
        room, taken = self.config.max_poll_records, []
        while self.buffer and room > 0:
            key, offset, value, count, epoch, event = self.buffer[0]
            now = min(count, room)
            taken.append((key, offset, value, now, epoch, event))
            self.buffer[0] = (key, offset + now, value + now, count - now, epoch, event)
            room -= now
            if now == count:
                del self.buffer[0]
        if taken:
            self.working = True
            for chunk in taken:
                self._deliver(*chunk)
            records = self.config.max_poll_records - room
            self.node.after(sum(self._work() for _ in range(records)), self._worked, taken)

    def _worked(self, taken: list) -> None:
        self.working = False
        for key, offset, _, count, *_ in taken:
            self.processed[key] = offset + count
        self._poll()
        for feed in self.feeds.values():
            feed.send_if_due()

    def _deliver(self, key: int, offset: int, value: int, count: int, epoch: int, event: int) -> None:
        now, history = self.world.env._now, self.history
        got = self.world.trace.add(now, self.kinds.deliver, self.node.code, -1, key, event, offset, count, epoch, value)
        history.polled(history.op(), self.process, key, value, count, offset, OK, now, now, got)
        self.system.delivered[key] = max(self.system.delivered[key], offset + count)

    def _commit(self) -> None:
        """Commits what has been worked on, every `auto_commit_interval`."""
        coordinator = self.system.coordinator()
        if coordinator is not None:
            self.world.network.link(self.node, coordinator.node).send(
                self.kinds.commit, self.system.on_commit, dict(self.processed), REQUEST_OVERHEAD)
        self.node.after(self.config.auto_commit_interval, self._commit)


class Feed:
    """A consumer's fetch loop towards one broker."""

    def __init__(self, consumer: ConsumerClient, broker):
        self.consumer, self.broker = consumer, broker
        self.keys: dict[int, None] = {}
        self.moved: dict[int, None] = {}
        self.full = True
        self.attempt = 0
        self.due: int | None = None  # the event that makes the next fetch due
        self.answered, self.sent_at = True, 0.0
        consumer.node.after(REQUEST_TIMEOUT, self._check)

    def send_if_due(self) -> None:
        """Fetches again once the consumer has taken what was fetched."""
        if self.due is not None and not self.consumer.buffer:
            self.send(self.due)

    def send(self, cause: int) -> None:
        consumer = self.consumer
        self.due = None
        if self.full:
            self.attempt += 1
            self.session = Session(consumer, -1, consumer.config.fetch_max_wait,
                                   consumer.config.max_partition_fetch_bytes, self._handler(self.attempt),
                                   consumer.system.read_committed)
        if consumer.config.rack:
            self.session.rack = consumer.node.zone
        keys = list(self.keys) if self.full else [key for key in self.moved if key in self.keys]
        checks = consumer.system.rules.fences  # KIP-320: a fetch that names the last epoch learns of truncation
        positions = [(key, consumer.position[key], consumer.last_epoch[key] if checks else -1, -1) for key in keys]
        fetch = Fetch(self.session, positions, self.full)
        self.moved, self.full = {}, False
        consumer.world.network.link(consumer.node, self.broker.node).send(
            consumer.kinds.poll, self.broker.on_fetch, fetch, REQUEST_OVERHEAD + 20 * len(positions), cause)
        self.answered, self.sent_at = False, consumer.world.env._now

    def _handler(self, attempt: int):
        life = self.consumer.node.incarnation

        def handle(parts: list[Fetched], event: int) -> None:
            if attempt == self.attempt and life == self.consumer.node.incarnation:
                self.answered = True
                self.consumer.on_records(self, parts, event)
        return handle

    def _check(self) -> None:
        """Gives up a fetch that nobody answered in time."""
        overdue = not self.answered and self.consumer.world.now - self.sent_at >= REQUEST_TIMEOUT - 1e-9
        if overdue and self.keys:
            self.consumer.leave(self)
            self.retry()
            self.consumer.refresh(-1)
        self.consumer.node.after(REQUEST_TIMEOUT, self._check)

    def retry(self) -> None:
        """Begins a new session after a back-off."""
        self.attempt += 1
        self.full, self.due = True, None
        self.consumer.node.after(RETRY_BACKOFF, self._retry, self.attempt)

    def _retry(self, attempt: int) -> None:
        if attempt == self.attempt and self.keys:
            self.send(-1)
