"""A broker: it leads some partitions, follows others, and obeys the controller.

A request is handled when it arrives; answers to fetches that became due are sent together at the end of the handling,
so that one response carries all partitions that moved. Left out: the CPU time of a request, quotas, fetch sessions
beyond "only what changed".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...kernel.disk import Disk
from . import nearby
from .fetching import Fetcher, Session
from .log import Log
from .messages import NO_ERROR, REQUEST_OVERHEAD, Error, Fetch, Fetched, PartitionState, ProduceRequest
from .partition import Leadership
from .tiering.manager import RemoteLogManager

if TYPE_CHECKING:
    from .cluster import KafkaSystem

MAX_RESPONSE_BYTES = 10 * 1024 * 1024   # replica.fetch.response.max.bytes


class Broker:
    """One broker on one node. Logs are on its disk and outlive the process; everything else is gone after a crash."""

    def __init__(self, system: KafkaSystem, index: int, zone: str):
        self.system, self.index, self.config = system, index, system.config
        self.world, self.kinds, self.rules = system.world, system.kinds, system.rules
        self.node = system.world.node(f"broker-{index + 1}", "broker", zone)
        self.record = system.world.trace.add  # for what happens with every batch; `note` is for the rest
        self.disk = Disk(self.node, self.config.disk)
        self.logs: dict[int, Log] = {}
        self.tiers = RemoteLogManager(self, system.tiers) if system.tiers else None
        self.clean_shutdown = True
        self.node.on_start, self.node.on_crash, self.node.on_disconnect = self.start, self._crashed, self._disconnected
        self._forget()

    def _forget(self):
        self.metadata: dict[int, PartitionState] = {}
        self.leading: dict[int, Leadership] = {}
        self.sessions: dict[object, Session] = {}
        self.readers: dict[int, list[Session]] = {}      # partition -> the sessions that fetch it
        self.fetchers: dict[int, Fetcher] = {}           # leader -> this broker's fetcher of it
        self.woken: dict[Session, None] = {}

    # Life

    def start(self) -> None:
        """Registers, and again until it is accepted: not while the last life's session runs."""
        self._forget()
        self.registered = False
        self._heartbeat()
        if self.tiers:
            self.tiers.start()
        self.node.after(self.config.replica_lag_time_max / 2, self._check_lag)

    def _heartbeat(self):
        self.system.controller.send_heartbeat(self)
        self.node.after(self.config.broker_heartbeat_interval, self._heartbeat)

    def _crashed(self, power_lost: bool) -> None:
        self.clean_shutdown = False
        if power_lost:
            flushed = self.world.now if self.config.flush_every_batch else self.disk.written_before(self.world.now)
            for key, log in self.logs.items():
                removed = log.lose_unflushed(flushed)
                if removed:
                    self.note(self.kinds.lost_unflushed, key, self.node.fault, log.end_offset,
                              sum(b.count for b in removed), -1, removed[0].value)

    def _disconnected(self, peer) -> None:
        for fetcher in self.fetchers.values():
            if fetcher.leader.node is peer:
                fetcher.retry()

    # Small helpers

    def link(self, node):
        return self.world.network.link(self.node, node)

    def note(self, kind, key=-1, cause=-1, offset=-1, count=0, epoch=-1, value=-1, text="", peer=-1) -> int:
        """Writes a local event of this broker into the trace."""
        return self.world.trace.add(self.world.env._now, kind, self.node.code, peer, key, cause, offset, count,
                                    epoch, value, text)

    # Producing

    def on_produce(self, request: ProduceRequest, event: int) -> None:
        """A produce request arrives; with `flush_every_batch` it is handled once its bytes are on disk."""
        if self.config.flush_every_batch:
            self.node.after(self.disk.fsync(), self._produce, request, event)
        else:
            self._produce(request, event)

    def _produce(self, request: ProduceRequest, event: int) -> None:
        acks, results = request.acks, request.results
        for batch in request.batches:
            leadership = self.leading.get(batch.key)
            if leadership is None:
                results.append((batch, Error.NOT_LEADER_OR_FOLLOWER, -1))
                continue
            error, offset, needed = leadership.append(batch, acks, event)
            if error is NO_ERROR and acks == "all" and leadership.log.high_watermark < needed:
                leadership.waiting.append((needed, batch, offset, request))
                request.pending += 1
            else:
                results.append((batch, error, offset))
                if error is not NO_ERROR:
                    self.note(self.kinds.refused, batch.key, event, -1, batch.count, leadership.epoch, batch.value,
                              error.sentence)
            if error is NO_ERROR:
                self._appended(leadership)
        request.cause = event
        if request.pending == 0:
            self._answer(request)
        self._flush()

    def _appended(self, leadership: Leadership) -> None:
        """New records are news for the followers, and for everybody if the leader alone is in sync."""
        event = leadership.last_append
        for session in self.readers.get(leadership.key, ()):
            if session.follower >= 0:
                session.fresh[leadership.key] = event
                if session.parked_until >= 0:
                    self.woken[session] = None
        if len(leadership.state.isr) == 1:
            self.advance(leadership, event)

    def advance(self, leadership: Leadership, cause: int) -> None:
        """Moves the high watermark if it can move: answers the producers it settles, wakes the consumers it serves."""
        moved = leadership.advance(cause)
        if moved is None:
            return
        if leadership.waiting:
            for request in leadership.settle(moved):
                self._answer(request)
        key = leadership.key
        for session in self.readers.get(key, ()):
            if session.follower >= 0:
                session.stale[key] = moved
            elif session.positions[key] < session.limit(leadership.log) and key not in session.cold:
                session.fresh[key] = moved
                if session.parked_until >= 0:
                    self.woken[session] = None

    def _answer(self, request: ProduceRequest) -> None:
        if request.acks == 0:
            self._answer_nothing(request)
            return
        count = sum(batch.count for batch in request.batches)
        only = request.batches[0] if len(request.batches) == 1 else None
        self.link(request.client.node).send(
            self.kinds.produced, request.client.on_produced, request, REQUEST_OVERHEAD, request.cause,
            only.key if only else -1, request.results[0][2] if only else -1, count, -1, only.value if only else -1)

    def _answer_nothing(self, request: ProduceRequest) -> None:
        """With acks=0 nothing is answered: the client sees its bytes taken or, after an error, a closed connection."""
        client = request.client
        if any(error is not NO_ERROR for _, error, _ in request.results):
            self.world.network.disconnect(client.node, self.node)
        else:
            client.node.after(self.link(client.node).latency(), client.on_taken, request)

    # Serving fetches

    def on_fetch(self, fetch: Fetch, event: int) -> None:
        """A fetch arrives, a follower's telling what it has; answered now if there is news, otherwise parked."""
        session, now = fetch.session, self.world.env._now
        if fetch.full:
            self._open(session)
        elif self.sessions.get(session.client) is not session:
            return  # a session of this broker's last life, or one that the fetcher has given up
        errors = None
        for key, offset, last_epoch, leader_epoch in fetch.positions:
            if session.rack and (turned := nearby.turn(self, session, key, offset, event)) is not None:
                errors = (errors or []) + turned
                continue
            leadership = self.leading.get(key)
            if leadership is None or leadership.epoch != leader_epoch and session.follower >= 0 and self.rules.fences:
                errors = (errors or []) + [Fetched(key, [], 0, error=Error.NOT_LEADER_OR_FOLLOWER)]
                self._stop_reading(session, key)
                continue
            log = leadership.log
            # its log is a prefix of this one: nearly always
            follows = last_epoch == log.last_epoch and offset <= log.end_offset
            diverged = None if follows else self.rules.divergence(log, offset, last_epoch)
            if diverged:
                errors = (errors or []) + [Fetched(key, [], leadership.log.high_watermark, diverged=diverged)]
                continue
            if offset < log.local_start_offset and (told := self.tiers.behind(session, key, offset, event)):
                errors = (errors or []) + [told]
                continue
            self._position(session, leadership, key, offset, event, now)
        session.event = event
        news = session.stale and not (session.follower >= 0 and self.config.consumer.rack)  # KAFKA-9952, see `nearby`
        if errors or session.fresh or news or session.gone:
            self._respond(session, event, errors)
        else:
            self._park(session, now)
        self._flush()

    def _open(self, session: Session) -> None:
        """A full fetch begins a new session: the one before it is forgotten."""
        before = self.sessions.get(session.client)
        if before is not None:
            for key in list(before.positions):
                self._stop_reading(before, key)
            before.parked_until = -1.0
        self.sessions[session.client] = session
        session.link = self.link(session.client.node)

    def _stop_reading(self, session: Session, key: int) -> None:
        if session.positions.pop(key, None) is not None:
            self.readers[key].remove(session)
        session.fresh.pop(key, None)
        session.stale.pop(key, None)

    def _position(self, session: Session, leadership: Leadership, key: int, offset: int, event: int,
                  now: float) -> None:
        if key not in session.positions:
            self.readers.setdefault(key, []).append(session)
            session.stale[key] = event  # whoever comes new is told the high watermark
        session.positions[key] = offset
        if session.follower >= 0:
            leadership.fetched(session.follower, offset, now)
            if offset < leadership.log.end_offset:
                session.fresh[key] = leadership.last_append
            else:
                session.fresh.pop(key, None)
            if offset > leadership.log.high_watermark:
                self.advance(leadership, event)
        elif offset < session.limit(leadership.log) and key not in session.cold:
            session.fresh[key] = leadership.last_append
        else:
            session.fresh.pop(key, None)
            session.stale.pop(key, None)

    def _park(self, session: Session, now: float) -> None:
        session.parked_until = now + session.max_wait
        if not session.timer_set:  # one timer a session: it looks again when an older fetch would have been due
            session.timer_set = True
            self.node.after(session.max_wait, self._waited, session)

    def _waited(self, session: Session) -> None:
        now = self.world.env._now
        if session.parked_until < 0:
            session.timer_set = False
        elif session.parked_until > now + 1e-9:
            self.node.after(session.parked_until - now, self._waited, session)
        else:
            session.timer_set = False
            self._respond(session, session.event, None)

    def _flush(self) -> None:
        """Answers the parked fetches for which there is news."""
        while self.woken:
            woken, self.woken = self.woken, {}
            for session in woken:
                if session.parked_until >= 0:
                    self._respond(session, next(reversed(session.fresh.values()), session.event), None)

    def _respond(self, session: Session, cause: int, errors: list[Fetched] | None) -> None:
        session.parked_until = -1.0
        parts, size, count = errors or [], REQUEST_OVERHEAD, 0
        if session.gone:
            parts += [Fetched(key, [], 0, error=Error.NOT_LEADER_OR_FOLLOWER) for key in session.gone]
            session.gone = {}
        committed_only = session.follower < 0
        fresh, session.fresh = session.fresh, {}
        stale, session.stale = session.stale, {}
        for key, event in fresh.items():
            if size >= MAX_RESPONSE_BYTES:
                session.fresh[key] = event  # waits for the next fetch
                continue
            log = self.logs[key]
            high_watermark = log.high_watermark
            limit = session.limit(log) if committed_only else log.end_offset
            batches, taken, records = (self.tiers.read(session, key, limit) if self.tiers else
                                       log.read(session.positions[key], limit, session.max_partition_bytes))
            if session.read_committed and log.transactions:
                batches = log.transactions.committed_only(batches)
            parts.append((key, batches, high_watermark, None, NO_ERROR))
            size += taken
            count += records
            stale.pop(key, None)
        for key in stale:
            parts.append((key, (), self.logs[key].high_watermark, None, NO_ERROR))
        first = parts[0] if len(parts) == 1 and parts[0][1] else None
        key, offset, value = (first[0], first[1][0].offset, first[1][0].value) if first else (-1, -1, -1)
        session.link.send(self.kinds.polled if committed_only else self.kinds.fetched, session.handler,
                          parts, size, cause, key, offset, count, -1, value)

    # Obeying the controller

    def on_metadata(self, message: tuple[int, list[PartitionState]], event: int) -> None:
        """Applies the controller's decisions, each once and in order; those for this broker's last life are ignored."""
        incarnation, states = message
        if incarnation != self.node.incarnation:
            return
        self.registered = True
        for state in states:
            known = self.metadata.get(state.key)
            if known is None or state.partition_epoch > known.partition_epoch:
                self.metadata[state.key] = state
                if self.index in state.replicas:
                    self._obey(state, event)
        for fetcher in self.fetchers.values():
            fetcher.send_if_idle(event)
        self._flush()

    def _obey(self, state: PartitionState, event: int) -> None:
        if state.key not in self.logs:
            self.logs[state.key] = self.tiers.new_log() if self.tiers else Log()
        leadership = self.leading.get(state.key)
        if leadership and state.leader == self.index and state.leader_epoch == leadership.epoch:
            if state.isr != leadership.state.isr:
                self._note_isr(state, event)
            leadership.state, leadership.proposed = state, None
            self.advance(leadership, event)
            return
        if leadership:
            self._resign(leadership, event)
        present = self.fetchers.get(state.leader)
        if present and present.partitions.get(state.key) == state.leader_epoch:
            return  # it follows this leader already; only the in-sync set has changed
        self._dismiss(state.key, event)
        for fetcher in self.fetchers.values():
            fetcher.partitions.pop(state.key, None)
        if state.leader == self.index:
            self._lead(state, event)
        elif state.leader >= 0:
            self._follow(state, event)

    def _lead(self, state: PartitionState, event: int) -> None:
        log = self.logs[state.key]
        won = self.note(self.kinds.elected, state.key, event, log.end_offset, 0, state.leader_epoch,
                        text=state.doubt)
        self._note_isr(state, won)
        leadership = self.leading[state.key] = Leadership(self, state, won)
        self.advance(leadership, won)

    def _note_isr(self, state: PartitionState, cause: int) -> None:
        nodes = [self.system.brokers[index].node for index in state.isr]
        self.note(self.kinds.isr, state.key, cause, -1, len(nodes), state.leader_epoch,
                  sum(1 << node.code for node in nodes), ", ".join(node.name for node in nodes))

    def _follow(self, state: PartitionState, event: int) -> None:
        fetcher = self.fetchers.get(state.leader)
        if fetcher is None:
            fetcher = self.fetchers[state.leader] = Fetcher(self, self.system.brokers[state.leader])
        fetcher.partitions[state.key] = state.leader_epoch
        fetcher.full = True
        self.note(self.kinds.follow, state.key, event, -1, 0, state.leader_epoch, peer=fetcher.leader.node.code)
        if not self.rules.asks:
            self.truncate(state.key, self.logs[state.key].high_watermark, event, ", its own high watermark,")
        elif not self.rules.fences:
            fetcher.asking[state.key] = None

    def truncate(self, key: int, offset: int, cause: int, reason: str = "") -> None:
        """Cuts the log back to this offset."""
        log = self.logs[key]
        removed = log.truncate(offset)
        if removed:
            self.note(self.kinds.truncate, key, cause, log.end_offset, sum(batch.count for batch in removed),
                      removed[0].epoch, removed[0].value, reason)

    def _resign(self, leadership: Leadership, event: int) -> None:
        """Ends a leadership: consumers are told with their next answer, followers hear it from the controller."""
        del self.leading[leadership.key]
        self._dismiss(leadership.key, event)
        for request in leadership.resign():
            self._answer(request)

    def _dismiss(self, key: int, event: int) -> None:
        """Ends the reading of a partition here."""
        for session in self.readers.pop(key, []):
            for table in (session.positions, session.fresh, session.stale):
                table.pop(key, None)
            # without fencing a follower may need the word of this broker
            if session.follower < 0 or not self.rules.fences:
                session.gone[key] = event
                self.woken[session] = None

    def readmit(self, brokers: Mapping) -> None:
        """Proposes followers again that were refused, or passed over while another proposal was on its way.

        `brokers` are the registrations that count. Kafka looks at every fetch; here idle partitions are not in a fetch,
        so a leader looks with every heartbeat, and at nothing but what a follower said in its present session.
        """
        for key, leadership in self.leading.items():
            for session in self.readers.get(key, ()):
                known, out = brokers.get(session.follower), session.follower not in leadership.state.isr
                if known and not known.fenced and known.incarnation == session.incarnation and out:
                    leadership.maybe_expand(session.follower, session.positions[key])

    def alter_partition(self, leadership: Leadership, isr: tuple[int, ...]) -> None:
        """Asks the controller to change the in-sync replicas."""
        names = ", ".join(self.system.brokers[b].node.name for b in isr)
        sent = self.system.controller.send_alter_partition(leadership, isr)
        if sent >= 0:
            self.world.trace.notes[sent] = names

    def _check_lag(self) -> None:
        for leadership in self.leading.values():
            leadership.shrink(self.world.now, self.config.replica_lag_time_max)
        for fetcher in self.fetchers.values():
            fetcher.check(self.world.now)
        self.node.after(self.config.replica_lag_time_max / 2, self._check_lag)

    # Telling clients

    def on_connect(self, client, event: int) -> None:
        """A client opens a connection."""
        self.link(client.node).send(self.kinds.connected, client.on_connected, self.index, REQUEST_OVERHEAD, event)

    def on_metadata_request(self, client, event: int) -> None:
        """A client asks who leads what; this broker answers from what it was told."""
        leaders = {key: (state.leader, state.leader_epoch) for key, state in self.metadata.items()}
        self.link(client.node).send(self.kinds.metadata_response, client.on_metadata, leaders,
                                    REQUEST_OVERHEAD + 20 * len(leaders), event)
