"""A cluster with transactions, wired together: what `simulate` runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ....evidence.history import FINAL_READER, OK, History
from ....evidence.policy import Guarantees
from ..cluster import KafkaSystem
from ..consumer import ConsumerClient
from ..controller import Controller
from ..kinds import Kinds
from ..partitioner import partitions_of
from ..producer import ProducerClient
from ..reconciliation import Reconciliation
from .broker import TransactionalBroker
from .kinds import SENTENCES
from .producer import TransactionalProducer, Work
from .worker import Worker

if TYPE_CHECKING:
    from ....kernel.world import World
    from ....workload import Workload

FIRST_PRODUCER_ID = 1000


class TransactionalSystem(KafkaSystem):
    """Brokers with the internal topics `__transaction_state` and `__consumer_offsets`, of one partition (Kafka: 50)."""
    inputs: list[int] = []  # the partitions that a group shares

    def __init__(self, settings, world: World, workload: Workload, topics: tuple[str, ...]):
        self.settings, self.config, self.version = settings, settings.cluster, settings.transaction_version
        self.world, self.workload, self.record_bytes = world, workload, workload.record_bytes
        self.linger = self.config.producer.linger
        self.kinds, self.history = Kinds(world.trace), History()
        self.rules, self.tiers = Reconciliation(self.config.replication_protocol), None
        self.calls = {name: world.trace.kind(name, *how) for name, how in SENTENCES.items()}
        self.calls["produce"] = self.kinds.produce
        self.read_committed = settings.isolation == "read_committed"
        partitions = range(self.config.partitions)
        self.data = [f"{topic}-{number}" for topic in topics for number in partitions]
        self.names = [*self.data, "__transaction_state-0", "__consumer_offsets-0"]
        self.state_key, self.offsets_key = len(self.data), len(self.data) + 1
        for name in self.data:
            self.history.keys.code(name)
        for name in self.names:
            world.trace.keys.code(name)
        self.committed, self.delivered = {}, [0] * len(self.names)
        self.id_of: dict[int, str] = {}
        self._nodes: dict[int, int] = {}
        self.brokers = [TransactionalBroker(self, index, self.config.zones[index % len(self.config.zones)])
                        for index in range(self.config.brokers)]
        states = [self._initial_state(key) for key in range(len(self.names))]
        control = self.config.control
        self.controller = control.build(self, states) if control else Controller(self, states)
        self.producers: list[TransactionalProducer] = []
        self._create_clients()
        self._begin()

    def _begin(self) -> None:
        super()._begin()
        for client in self._transactional():
            if client is not self.producer:  # which has been started with the brokers
                client.start()

    def _transactional(self) -> list:
        return self.producers

    def _arrivals(self) -> tuple[np.ndarray, np.ndarray]:
        """When records come into being, and to which partition each goes."""
        times = self.workload.arrival_times(self.world.stream("workload/arrivals"))
        keys = self.workload.record_keys(self.world.stream("workload/keys"), len(times))
        a_batch = max(1, self.config.producer.batch_size // self.record_bytes)
        return times, partitions_of(keys, len(times), self.config.partitions,
                                    self.world.stream("producer/sticky"), a_batch)

    def _readers(self, keys: list[int]) -> list[ConsumerClient]:
        members = self.workload.consumers
        return [ConsumerClient(self, i + 1, keys[i::members]) for i in range(members)]

    # What the clients of a cluster find out by asking any broker

    def coordinator_of(self, key: int) -> TransactionalBroker | None:
        """The broker that leads a partition, says the controller; or None. Stands for FindCoordinator and Metadata."""
        leader = self.controller.partitions[key].leader
        return self.brokers[leader] if leader >= 0 else None

    def new_producer_id(self, transactional_id: str, node) -> int:
        """The next producer id."""
        producer_id = FIRST_PRODUCER_ID + len(self.id_of)
        self.id_of[producer_id] = transactional_id
        self.came(producer_id, node)
        return producer_id

    def came(self, producer_id: int, node) -> None:
        """An instance of this producer has announced itself; pictures show it as the one concerned."""
        self._nodes[producer_id] = node.code

    def producer_node(self, producer_id: int) -> int:
        """The node that used this producer id last."""
        return self._nodes.get(producer_id, -1)

    # The end of a run

    def _settled(self) -> bool:
        """Whether leaders are in place, replicas equal, coordinators at rest and readers at the end."""
        for key in range(len(self.names)):
            log = self._leader_log(key)
            if log is None or not self._replicated(key, log) or log.stable_offset < log.end_offset:
                return False
        coordinator = self.coordinator_of(self.state_key).coordinators[self.state_key]
        return coordinator.at_rest and all(self._at_the_end(consumer) for consumer in self.consumers)

    def _at_the_end(self, consumer) -> bool:
        ends = {key: self._leader_log(key).end_offset for key in consumer.keys}
        return consumer.idle and all(consumer.position[key] >= end for key, end in ends.items())

    def finish(self) -> None:
        """The final reader reads every partition from its beginning, as far as and as its isolation allows."""
        reader = self.history.processes.code(FINAL_READER)
        now, complete = self.world.now, True
        for key in range(len(self.data)):
            log = self._leader_log(key)
            complete = complete and log is not None
            limit = (log.stable_offset if self.read_committed else log.high_watermark) if log else 0
            for batch in log.batches if log else ():
                unwanted = self.read_committed and log.transactions and log.transactions.was_aborted(batch)
                if batch.offset < limit and not batch.hidden and not unwanted:
                    self.history.polled(self.history.op(), reader, key, batch.value, batch.count,
                                        batch.offset, OK, now, now)
        self.history.drained = complete and self._clients_done()
        for client in self._transactional():
            if client.operation:
                client.crashed()
        self.world.meters.counts["stored bytes"] = sum(log.size() for broker in self.brokers
                                                       for log in broker.logs.values())


class TransactionsSystem(TransactionalSystem):
    """Producers of transactions, and readers."""

    def __init__(self, settings, world: World, workload: Workload):
        super().__init__(settings, world, workload, ("orders",))

    def _create_clients(self) -> None:
        times, where = self._arrivals()
        count, zones = self.settings.producers, self.config.zones
        owner = np.arange(len(times)) % count
        records: list[list] = [[] for _ in range(count)]
        for key in range(self.config.partitions):
            chosen = np.flatnonzero(where == key)
            chosen = chosen[np.argsort(owner[chosen], kind="stable")]  # values of a producer are consecutive
            self.history.created[key] = times[chosen]
            for value, record in enumerate(chosen.tolist()):
                records[owner[record]].append((float(times[record]), key, value))
        works = [Work(sorted(of_one)) for of_one in records]
        self.producers = [TransactionalProducer(self, f"producer-{i + 1}", zones[i % len(zones)],
                                                f"orders-{i + 1}", work)
                          for i, work in enumerate(works)]
        self.producer = self.producers[0]
        if self.settings.replace_at is not None:
            self.replacement = TransactionalProducer(self, "producer-1b", zones[0], "orders-1", works[0])
            self.world.after(self.settings.replace_at, self._replace)
        self.consumers = self._readers(list(range(self.config.partitions)))

    def _replace(self) -> None:
        self.producers.append(self.replacement)
        self.replacement.start()

    @property
    def guarantees(self) -> Guarantees:
        """All or nothing, once and in order, for readers of committed transactions."""
        return Guarantees(isolation=self.settings.isolation)

    def _clients_done(self) -> bool:
        return all(producer.done for producer in self.producers)

    def quiet(self) -> bool:
        """Whether every transaction is over and read."""
        return self._clients_done() and self._settled()


class PipelineSystem(TransactionalSystem):
    """A producer that fills `orders`, workers that turn it into `totals`, readers of `totals`."""

    def __init__(self, settings, world: World, workload: Workload):
        super().__init__(settings, world, workload, ("orders", "totals"))

    def _create_clients(self) -> None:
        times, where = self._arrivals()
        partitions = self.config.partitions
        created = [times[where == key] for key in range(partitions)]
        self.inputs = list(range(partitions))
        self.output_of = {key: partitions + key for key in self.inputs}
        self.history.created = dict(enumerate(created + created))  # a result is as old as the record it is made of
        self.producer = ProducerClient(self, created, self.record_bytes)
        zones = self.config.zones
        self.workers = [Worker(self, f"worker-{i + 1}", zones[i % len(zones)]) for i in range(self.settings.workers)]
        self.consumers = self._readers(list(self.output_of.values()))

    def _transactional(self) -> list:
        return self.workers

    @property
    def guarantees(self) -> Guarantees:
        """Exactly once for readers of committed transactions; others see a restarted worker's results twice."""
        once = self.settings.exactly_once and self.read_committed
        return Guarantees(isolation=self.settings.isolation, idempotence=once, subscribe=True, in_order=once)

    def _clients_done(self) -> bool:
        if not self.producer.done:
            return False
        coordinator = self.coordinator_of(self.offsets_key)
        group = coordinator.coordinators[self.offsets_key] if coordinator else None
        ends = {key: self._leader_log(key) for key in self.inputs}
        return (group is not None and group.loaded and all(ends.values())
                and all(group.committed.get(key, 0) >= log.end_offset for key, log in ends.items()))

    def quiet(self) -> bool:
        """Whether every record has become a result that is committed and read."""
        return self._clients_done() and self._settled() and not any(worker.operation for worker in self.workers)
