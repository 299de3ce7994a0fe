"""A Kafka cluster with its clients, wired together: what `simulate` runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...evidence.history import FINAL_READER, OK, History
from ...evidence.policy import Guarantees
from .broker import Broker
from .consumer import ConsumerClient
from .controller import Controller
from .kinds import Kinds
from .messages import PartitionState
from .partitioner import partitions_of
from .producer import ProducerClient
from .tiering.manager import Tiers
from .reconciliation import Reconciliation

if TYPE_CHECKING:
    from ...kernel.world import World
    from ...workload import Workload
    from .config import Cluster

TOPIC = "orders"


class KafkaSystem:
    """Brokers, controller, producer and consumers of one run; all begin in sync and informed."""
    read_committed = False  # nothing here is transactional

    def __init__(self, config: Cluster, world: World, workload: Workload):
        self.config, self.world, self.workload = config, world, workload
        self.kinds, self.history = Kinds(world.trace), History()
        self.rules = Reconciliation(config.replication_protocol)
        for key in range(config.partitions):
            for names in (self.history.keys, world.trace.keys):
                names.code(f"{TOPIC}-{key}")
        self.committed: dict[int, int] = {}
        self.delivered = [0] * config.partitions
        self.tiers = Tiers(self) if config.tiering else None
        self.brokers = [Broker(self, index, config.zones[index % len(config.zones)]) for index in range(config.brokers)]
        states = [self._initial_state(key) for key in range(config.partitions)]
        self.controller = config.control.build(self, states) if config.control else Controller(self, states)
        self._create_clients()
        if self.tiers:
            self.tiers.open()
        self._begin()

    def _initial_state(self, key: int) -> PartitionState:
        """Replicas striped over the brokers, and so over the zones; the first one leads."""
        replicas = tuple((key + i) % self.config.brokers for i in range(self.config.replication))
        return PartitionState(key, replicas, replicas[0], 0, tuple(sorted(replicas)), (), 0, replicas[0])

    def _create_clients(self) -> None:
        times = self.workload.arrival_times(self.world.stream("workload/arrivals"))
        where = self._partitions_of(times)
        order = np.argsort(where, kind="stable")
        created = np.split(times[order], np.searchsorted(where[order], np.arange(1, self.config.partitions)))
        self.history.created = dict(enumerate(created))
        self._place_clients(created)

    def _partitions_of(self, times: np.ndarray) -> np.ndarray:
        """The partition of each record, by its key."""
        workload, world = self.workload, self.world
        keys = workload.record_keys(world.stream("workload/keys"), len(times))
        a_batch = max(1, self.config.producer.batch_size // workload.record_bytes)
        return partitions_of(keys, len(times), self.config.partitions, world.stream("producer/sticky"), a_batch)

    def _place_clients(self, created: list[np.ndarray]) -> None:
        """One producer, and the members of one group."""
        members, partitions = self.workload.consumers, self.config.partitions
        self.producer = ProducerClient(self, created, self.workload.record_bytes)
        self.consumers = [ConsumerClient(self, i + 1, list(range(i, partitions, members))) for i in range(members)]

    def _begin(self) -> None:
        self.controller.begin()
        self.producer.start()
        for consumer in self.consumers:
            consumer.start()

    @property
    def guarantees(self) -> Guarantees:
        """What this configuration promises; losing what was acknowledged is never part of it, whatever `acks` is."""
        producer, tiering = self.config.producer, self.config.tiering
        return Guarantees(idempotence=producer.idempotent, in_order=producer.idempotent or producer.max_in_flight == 1,
                          retention=tiering.retention if tiering else None)

    # What clients know without asking

    def leaders(self) -> dict[int, tuple[int, int]]:
        """Leader and leader epoch of every partition, as the controller has it."""
        return {key: (state.leader, state.leader_epoch) for key, state in self.controller.partitions.items()}

    def coordinator(self) -> Broker | None:
        """The broker that takes offset commits: the first one that is up."""
        return next((broker for broker in self.brokers if broker.node.up), None)

    def on_commit(self, offsets: dict[int, int], event: int) -> None:
        """A member's offsets are committed."""
        self.committed.update(offsets)

    def first_position(self, key: int) -> int:
        """Where a consumer begins: at the committed offset, else at the beginning (`auto.offset.reset=earliest`)."""
        return self.committed.get(key, 0)

    # The end of a run

    def quiet(self) -> bool:
        """Whether all is settled: records sent or given up, the committed ones read, leaders in place."""
        if not self.producer.done:
            return False
        for key in range(self.config.partitions):
            log = self._leader_log(key)
            if log is None or self.consumers and self.delivered[key] < log.high_watermark:
                return False
            if not self._replicated(key, log):
                return False
        return all(consumer.idle for consumer in self.consumers)

    def _replicated(self, key: int, leader_log) -> bool:
        """Whether every replica that can be reached holds all that the leader holds, and all of it is committed."""
        cut_off = bool(self.world.network.rules)
        reachable = [self.brokers[index] for index in self.controller.partitions[key].replicas
                     if self.brokers[index].node.up and not (cut_off and self.controller.brokers[index].fenced)]
        return (leader_log.high_watermark == leader_log.end_offset
                and all(broker.logs[key].end_offset == leader_log.end_offset for broker in reachable))

    def _leader_log(self, key: int):
        state = self.controller.partitions[key]
        if state.leader < 0:
            return None
        broker = self.brokers[state.leader]
        return broker.logs[key] if broker.node.up and key in broker.leading else None

    def _look_at_replicas(self, key: int, leader_log) -> None:
        """Records what the replicas that know the present leader hold and believe to be committed, the leader first."""
        history, now, state = self.history, self.world.now, self.controller.partitions[key]
        for broker in sorted((self.brokers[index] for index in state.replicas),
                             key=lambda broker: broker.index != state.leader):
            known = broker.metadata.get(key)
            if leader_log is None or not broker.node.up or known is None or known.leader_epoch != state.leader_epoch:
                continue
            replica, log = history.processes.code(broker.node.name), broker.logs[key]
            committed = min(log.high_watermark, leader_log.high_watermark)
            for batch in log.batches:
                if batch.offset < committed:
                    history.replicas.append(replica, key, batch.offset, batch.count, batch.epoch, batch.value, now)

    def _readable(self, key: int, log):
        """All batches that a reader from the beginning would find at the leader."""
        return self.brokers[self.controller.partitions[key].leader].tiers.everything(key) if self.tiers else log.batches

    def finish(self) -> None:
        """The final reader reads every partition from its beginning to its high watermark; the books are closed."""
        reader = self.history.processes.code(FINAL_READER)
        now, complete = self.world.now, True
        if self.tiers:  # what it does not find may have expired: that depends on when it looked
            self.history.assign(FINAL_READER, self.history.keys.names, now)
        for key in range(self.config.partitions):
            log = self._leader_log(key)
            complete = complete and log is not None
            for batch in self._readable(key, log) if log else ():
                if batch.offset < log.high_watermark:
                    self.history.polled(self.history.op(), reader, key, batch.value, batch.count,
                                        batch.offset, OK, now, now)
            self._look_at_replicas(key, log)
        self.history.drained = complete and self.producer.done
        self.world.meters.integrals["broker seconds"] = self.config.brokers * now
        self.world.meters.counts["stored bytes"] = sum(log.size() for broker in self.brokers
                                                       for log in broker.logs.values())
