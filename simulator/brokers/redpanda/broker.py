"""A broker: its cores, its disk, and a member of the Raft group of every partition it has a replica of.

It speaks Kafka's protocol, so that Kafka's own producer and consumers talk to it. There is no controller to ask:
the groups elect their leaders themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...kernel.disk import Disk
from ..kafka.fetching import Session
from ..kafka.messages import NO_ERROR, REQUEST_OVERHEAD, Error, Fetch, Fetched, ProduceRequest, ProducerBatch
from .cores import Cores
from .replica import Replica

if TYPE_CHECKING:
    from .cluster import RedpandaSystem


class Broker:
    """One broker on one node; what its replicas have on disk outlives the process."""

    def __init__(self, system: RedpandaSystem, index: int, zone: str):
        self.system, self.index, self.config = system, index, system.config
        self.world, self.kinds = system.world, system.kinds
        self.node = system.world.node(f"broker-{index + 1}", "broker", zone)
        self.disk = Disk(self.node, self.config.disks)
        self.cores = Cores(self.node, self.config.cores, self.config.thread_per_core)
        self.replicas: dict[int, Replica] = {}
        self.node.on_crash = self._crashed
        self._forget()

    def _forget(self):
        self.sessions: dict[object, Session] = {}
        self.parked: dict[Session, Fetch] = {}

    def _crashed(self, power_lost: bool) -> None:
        self._forget()
        self.cores.forget()

    def leader_of(self, key: int) -> Replica | None:
        """The replica here, if it leads its partition."""
        replica = self.replicas.get(key)
        return replica if replica is not None and replica.leading else None

    def link(self, node):
        return self.world.network.link(self.node, node)

    def note(self, kind: str, key: int, cause: int, offset: int, count: int, epoch: int, value: int,
             text: str = "") -> int:
        return self.world.trace.add(self.world.now, getattr(self.kinds, kind), self.node.code, -1, key, cause,
                                    offset, count, epoch, value, text)

    # Producing

    def on_produce(self, request: ProduceRequest, event: int) -> None:
        """Every batch of the request waits for the core of its partition."""
        request.pending, request.cause = len(request.batches), event
        for batch in request.batches:
            self.cores.run(batch.key, self.config.request_cpu, self._append, request, batch, event)

    def _append(self, request: ProduceRequest, batch: ProducerBatch, event: int) -> None:
        replica = self.leader_of(batch.key)
        if replica is None:
            self.settle(request, batch, Error.NOT_LEADER_OR_FOLLOWER, -1, event)
        else:
            replica.write(batch, request, event)

    def refuse(self, request: ProduceRequest, batch: ProducerBatch, error: Error, term: int, event: int) -> None:
        """Answers a batch with an error and says so in the trace."""
        self.note("refused", batch.key, event, -1, batch.count, term, batch.value, error.sentence)
        self.settle(request, batch, error, -1, event)

    def settle(self, request: ProduceRequest, batch: ProducerBatch, error: Error, offset: int, cause: int) -> None:
        """One batch of a request is decided; the last one sends the answer."""
        request.results.append((batch, error, offset))
        request.pending -= 1
        request.cause = cause
        if request.pending == 0:
            self._answer(request)

    def _answer(self, request: ProduceRequest) -> None:
        client = request.client
        if request.acks == 0:
            if any(error is not NO_ERROR for _, error, _ in request.results):
                self.world.network.disconnect(client.node, self.node)
            else:
                client.node.after(self.link(client.node).latency(), client.on_taken, request)
            return
        count = sum(batch.count for batch in request.batches)
        only = request.results[0] if len(request.results) == 1 else None
        key, offset, value = (only[0].key, only[2], only[0].value) if only else (-1, -1, -1)
        self.link(client.node).send(self.kinds.produced, client.on_produced, request, REQUEST_OVERHEAD, request.cause,
                                    key, offset, count, -1, value)

    # Serving consumers

    def on_fetch(self, fetch: Fetch, event: int) -> None:
        """A consumer's fetch is answered at once if there is anything to say, otherwise within its longest wait."""
        session = fetch.session
        if fetch.full:
            self.sessions[session.client] = session
        elif self.sessions.get(session.client) is not session:
            return
        session.event = event
        told = [part for position in fetch.positions if (part := self._position(session, *position))]
        if told or self._news(session):
            self._respond(session, event, told)
        else:
            self.parked[session] = fetch
            self.node.after(session.max_wait, self._waited, session, fetch)

    def _position(self, session: Session, key: int, offset: int, last_epoch: int, _) -> Fetched | None:
        """Takes over how far a consumer is; or says that it does not lead, or where the consumer left the log."""
        replica = self.leader_of(key)
        if replica is None:
            session.positions.pop(key, None)
            return Fetched(key, [], 0, error=Error.NOT_LEADER_OR_FOLLOWER)
        session.positions[key] = offset
        epoch, end = replica.log.end_of_epoch(last_epoch if last_epoch >= 0 else replica.term)
        return Fetched(key, [], replica.committed.end_offset, (epoch, end)) if offset > end else None

    def _news(self, session: Session) -> list[int]:
        """The partitions of which this consumer has not read all that is committed."""
        return [key for key, offset in session.positions.items() if offset < self.replicas[key].committed.end_offset]

    def _waited(self, session: Session, fetch: Fetch) -> None:
        if self.parked.get(session) is fetch:
            self._respond(session, session.event, [])

    def wake(self, key: int, event: int) -> None:
        """Something was committed: consumers that wait for it are answered."""
        for session in list(self.parked):
            if session.positions.get(key, -1) >= 0 and self._news(session):
                self._respond(session, event, [])

    def dismiss(self, key: int, event: int) -> None:
        """This broker leads the partition no more: its consumers are told, now or with their next fetch."""
        for session in list(self.parked):
            if session.positions.pop(key, None) is not None:
                self._respond(session, event, [Fetched(key, [], 0, error=Error.NOT_LEADER_OR_FOLLOWER)])

    def _respond(self, session: Session, cause: int, parts: list[Fetched]) -> None:
        self.parked.pop(session, None)
        told = {part.key for part in parts}
        size, count = REQUEST_OVERHEAD, 0
        for key in self._news(session):
            if key not in told:
                log = self.replicas[key].committed
                batches, taken, records = log.read(session.positions[key], log.end_offset, session.max_partition_bytes)
                parts.append(Fetched(key, batches, log.end_offset))
                size, count = size + taken, count + records
        only = parts[0] if len(parts) == 1 and parts[0].batches else None
        key, offset, value = (only.key, only.batches[0].offset, only.batches[0].value) if only else (-1, -1, -1)
        self.link(session.client.node).send(self.kinds.polled, session.handler, parts, size, cause,
                                            key, offset, count, -1, value)

    # Telling clients

    def on_connect(self, client, event: int) -> None:
        """A client opens a connection."""
        self.link(client.node).send(self.kinds.connected, client.on_connected, self.index, REQUEST_OVERHEAD, event)

    def on_metadata_request(self, client, event: int) -> None:
        """A client asks who leads what: a broker knows its own partitions from Raft, the others from hearsay."""
        leaders = self.system.leaders()
        for key, replica in self.replicas.items():
            leader = self.system.index_of(replica.leader)
            leaders[key] = (leader, replica.term)
        size = REQUEST_OVERHEAD + 20 * len(leaders)
        self.link(client.node).send(self.kinds.metadata_response, client.on_metadata, leaders, size, event)
