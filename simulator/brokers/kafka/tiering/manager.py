"""What a broker does with tiers (KIP-405): it copies closed segments, deletes old ones, reads back what is wanted."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ....kernel.objectstore import Answer, ObjectStore, StoreClient
from ..log import LogBatch
from ..messages import Error, Fetched
from .remote import DELETING, FINISHED, STARTED, SUFFIXES, RemoteLog, RemoteSegment
from .segments import SegmentedLog

if TYPE_CHECKING:
    from ..broker import Broker
    from ..cluster import KafkaSystem
    from ..fetching import Session
    from ..partition import Leadership

COPIER_THREADS = 10  # remote.log.manager.copier.thread.pool.size

SENTENCES = {
    "copied": ("local", "{node} has copied {offsets} of {key} to the object store"),
    "cold_read": ("local", "{node} has read {offsets} of {key} from the object store"),
    "deleted_locally": ("local", "{node} deletes {offsets} of {key} from its disk"),
    "expired": ("state", "{offsets} of {key} are older than the retention; {node} deletes them"),
    "begun_anew": ("state", "{node} begins its log of {key} anew at offset {offset}, where its leader's disk begins"),
}


class Tiers:
    """What all brokers share: the object store, the metadata of remote segments, and the meter of their disks."""

    def __init__(self, system: KafkaSystem):
        self.world, self.settings = system.world, system.config.tiering
        self.remote = {key: RemoteLog(system.history.keys[key]) for key in range(system.config.partitions)}
        self.kinds = {name: self.world.trace.kind(name, *how) for name, how in SENTENCES.items()}
        self.on_disk = 0
        self.store: ObjectStore | None = None

    def open(self) -> None:
        """The object store comes last among the nodes, so that all others have the numbers they have without it."""
        self.store = ObjectStore(self.world, self.settings.store)

    def disk_changed(self, more: int) -> None:
        """Some broker's disk holds so many bytes more."""
        self.on_disk += more
        self.world.meters.level("disk byte-seconds", self.world.now, self.on_disk)


class RemoteLogManager:
    """One broker's part."""

    def __init__(self, broker: Broker, tiers: Tiers):
        self.broker, self.tiers, self.settings = broker, tiers, tiers.settings
        self.readers: StoreClient | None = None

    def new_log(self) -> SegmentedLog:
        return SegmentedLog(self.settings, self.tiers.disk_changed)

    def start(self) -> None:
        """Begins a life: nothing is being copied, nothing is cached."""
        if self.readers is None:
            self.readers = StoreClient(self.broker.node, self.tiers.store, self.settings.reader_threads)
            self.copiers = StoreClient(self.broker.node, self.tiers.store, COPIER_THREADS)
        self.copying: dict[int, RemoteSegment] = {}                        # partition -> what is on its way
        self.deleting: dict[RemoteSegment, int] = {}                       # segment -> objects still to delete
        self.indexes: dict[RemoteSegment, None] = {}                       # segments whose indexes are here
        self.chunks: OrderedDict[tuple[RemoteSegment, int], list[LogBatch]] = OrderedDict()
        self._later(self.settings.retention_check_interval, self._delete_local)
        if self.settings.remote:
            self._later(self.settings.task_interval, self._tend)

    def _later(self, interval: float, task) -> None:
        """Runs a task now and then, for as long as this life lasts."""
        def again() -> None:
            task()
            self.broker.node.after(interval, again)
        self.broker.node.after(interval, again)

    def _note(self, kind: str, key: int, cause: int = -1, offset: int = -1, count: int = 0) -> int:
        return self.broker.note(self.tiers.kinds[kind], key, cause, offset, count)

    # Copying and deleting, by the leader

    def _tend(self) -> None:
        for key, leadership in list(self.broker.leading.items()):
            self._clean(key, leadership)
            self._copy(key, leadership)

    def _copy(self, key: int, leadership: Leadership) -> None:
        """Copies the oldest closed and committed segment that the store does not have, then the next."""
        log, remote = leadership.log, self.tiers.remote[key]
        if key in self.copying or self.broker.leading.get(key) is not leadership:
            return
        for segment, end in log.closed():
            if end > log.stable_offset:
                return
            if remote.find(log, end - 1) is None:
                self.copying[key] = copy = remote.begin(log, segment.base, end, segment.last)
                self._put(key, leadership, copy, copy.objects())
                return

    def _put(self, key: int, leadership: Leadership, copy: RemoteSegment, objects: list, cause: int = -1) -> None:
        name, size, body = objects[0]

        def written(answer: Answer) -> None:
            if answer.ok and objects[1:]:
                self._put(key, leadership, copy, objects[1:], answer.event)
                return
            del self.copying[key]
            if answer.ok and self.tiers.remote[key].finish(copy):
                self._note("copied", key, answer.event, copy.base, copy.end - copy.base)
                self._copy(key, leadership)
        self.copiers.put(name, size, written, body=body, cause=cause)

    def _clean(self, key: int, leadership: Leadership) -> None:
        """Deletes remote segments that are too old, that a copy left unfinished, or that somebody began to delete.

        What another leader copied is its to delete: this one may not know yet that it has been replaced.
        """
        remote, log, now = self.tiers.remote[key], leadership.log, self.broker.world.now
        for segment in list(remote.segments):
            over = now - segment.last > self.settings.retention
            old = over and segment.state == FINISHED and remote.is_for(log, segment)
            if old and remote.find(log, segment.end - 1) is segment:
                remote.start_offset = max(remote.start_offset, segment.end)
                self._note("expired", key, -1, segment.base, segment.end - segment.base)
            abandoned = segment.state == STARTED and self.copying.get(key) is not segment
            if old or abandoned or segment.state == DELETING and segment not in self.deleting:
                self._delete(key, segment)

    def _delete(self, key: int, segment: RemoteSegment) -> None:
        segment.state = DELETING
        self.deleting[segment] = len(SUFFIXES)

        def gone(answer: Answer) -> None:
            if not answer.ok:
                self.deleting.pop(segment, None)  # the next round tries again
            elif segment in self.deleting:
                self.deleting[segment] -= 1
                if not self.deleting[segment]:
                    self.tiers.remote[key].forget(self._done(segment))
        for suffix in SUFFIXES:
            self.copiers.delete(segment.object(suffix), gone)

    def _done(self, segment: RemoteSegment) -> RemoteSegment:
        del self.deleting[segment]
        return segment

    # Deleting from this disk, by every replica

    def _delete_local(self) -> None:
        for key, log in self.broker.logs.items():
            start, end = log.local_start_offset, self._deletable(key, log)
            if end > start:
                log.delete_before(end)
                self._note("deleted_locally", key, -1, start, end - start)

    def _deletable(self, key: int, log: SegmentedLog) -> int:
        """Up to which offset segments need not be here: copied, if they are to be, and old enough or too many."""
        settings, remote, now = self.settings, self.tiers.remote[key], self.broker.world.now
        left, end_of = log.stored, log.local_start_offset
        for segment, end in log.closed():
            many = settings.local_retention_bytes is not None and left - segment.size >= settings.local_retention_bytes
            copied = remote.find(log, end - 1) is not None or end <= remote.start_offset
            due = many or now - segment.last > settings.on_disk
            if settings.remote and not copied or end > log.high_watermark or not due:
                break
            left, end_of = left - segment.size, end
        return end_of

    def begin_anew(self, key: int, told: tuple[int, int], event: int) -> None:
        """A follower behind its leader's local start takes epochs and producer state from the store, and goes on."""
        epoch, start = told
        log = self.broker.logs[key]
        known = next((segment for segment in reversed(self.tiers.remote[key].segments)
                      if segment.base < start <= segment.end and segment.epochs[-1][0] >= epoch), None)
        epochs = known.epochs if known else ((epoch, 0),) if epoch >= 0 else ()
        batches = [batch for batch in known.batches if batch.end <= start] if known else ()
        log.begin_anew(start, [(e, first) for e, first in epochs if e <= epoch], batches)
        self._note("begun_anew", key, event, start)

    # Reading

    def read(self, session: Session, key: int, limit: int) -> tuple[list[LogBatch], int, int]:
        """The batches for a fetch, their bytes and records: from the store if they came, else from memory or disk."""
        log, position = self.broker.logs[key], session.positions[key]
        if position < log.local_start_offset:
            return self._arrived(session, key)
        found = log.read(position, limit, session.max_partition_bytes)
        if found[1] and log.behind(position) > self.settings.page_cache:
            node, now = self.broker.node, self.broker.world.now
            node.egress_free = max(node.egress_free, now) + found[1] / self.settings.disk_bandwidth
        return found

    def _arrived(self, session: Session, key: int) -> tuple[list[LogBatch], int, int]:
        batches, size, count = [], 0, 0
        for batch in session.cold.pop(key, None) or ():
            if size >= session.max_partition_bytes:
                break
            batches.append(batch)
            size, count = size + batch.size, count + batch.count
        return batches, size, count

    def behind(self, session: Session, key: int, offset: int, event: int) -> Fetched | None:
        """What to do about a fetch below the local start: ask the store (None), or tell the fetcher where to go on."""
        log, remote = self.broker.logs[key], self.tiers.remote[key]
        start = log.local_start_offset
        if session.follower >= 0:
            moved = Error.OFFSET_MOVED_TO_TIERED_STORAGE if self.settings.remote else Error.OFFSET_OUT_OF_RANGE
            return Fetched(key, [], log.high_watermark, (log.epoch_at(start - 1), start), moved)
        segment = remote.find(log, offset)
        if segment is None:
            expired = offset < remote.start_offset and remote.find(log, remote.start_offset)
            begin = remote.start_offset if expired else start
            return Fetched(key, [], log.high_watermark, (-1, begin), Error.OFFSET_OUT_OF_RANGE)
        session.cold[key] = None
        self._fetch(session, key, segment, offset, event)
        return None

    def _fetch(self, session: Session, key: int, segment: RemoteSegment, offset: int, event: int) -> None:
        """Brings the chunk with this offset: the indexes first, if they are not here, unless the chunk is."""
        size = self.settings.chunk_bytes
        number = segment.chunk_of(offset, size)
        if (segment, number) in self.chunks:
            self.chunks.move_to_end((segment, number))
            self.broker.node.after(0.0, self._ready, session, key, offset, self.chunks[segment, number], event)
            return

        def indexed(answer: Answer) -> None:
            if not answer.ok:
                self._failed(session, key, answer)
                return
            self.indexes[segment] = None
            span = min(size, segment.size - number * size)
            self.readers.get(segment.object("log"), brought, span=span, cause=answer.event)

        def brought(answer: Answer) -> None:
            if not answer.ok:
                self._failed(session, key, answer)
                return
            batches = segment.chunk(number, size)
            self.chunks[segment, number] = batches
            while len(self.chunks) > self.settings.chunk_cache:
                self.chunks.popitem(last=False)
            self._ready(session, key, offset, batches, answer.event)
        if segment in self.indexes:
            indexed(Answer(200, "", event=event))
        else:
            self.readers.get(segment.object("indexes"), indexed, cause=event)

    def _ready(self, session: Session, key: int, offset: int, batches: list[LogBatch], event: int) -> None:
        broker = self.broker
        waits = broker.sessions.get(session.client) is session and session.cold.get(key, ()) is None
        if not waits or session.positions.get(key) != offset:
            return
        session.cold[key] = [batch for batch in batches if batch.end > offset]
        count = batches[-1].end - offset
        session.fresh[key] = self._note("cold_read", key, event, offset, count)
        if session.parked_until >= 0:
            broker.woken[session] = None
            broker._flush()

    def _failed(self, session: Session, key: int, answer: Answer) -> None:
        """The store did not answer, or the segment was deleted meanwhile: the consumer is sent away and comes again."""
        broker = self.broker
        if broker.sessions.get(session.client) is session and session.cold.pop(key, ()) is None:
            broker._stop_reading(session, key)
            session.gone[key] = answer.event
            if session.parked_until >= 0:
                broker.woken[session] = None
                broker._flush()

    # The end of a run

    def everything(self, key: int) -> Iterator[LogBatch]:
        """All that can be read, remote and local, as a reader from the beginning would find it."""
        log, remote, store = self.broker.logs[key], self.tiers.remote[key], self.tiers.store
        offset = remote.start_offset
        while offset < log.local_start_offset and (segment := remote.find(log, offset)):
            stored = store.objects.get(segment.object("log"))
            yield from (batch for batch in (stored.body if stored else ()) if batch.end > offset)
            offset = segment.end
        yield from (batch for batch in log.batches if batch.end > offset)
