"""A Redpanda cluster with Kafka's clients, wired together: what `simulate` runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...evidence.history import FINAL_READER, OK, History
from ...evidence.policy import Guarantees
from ...kernel.raft import Group
from ..kafka.cluster import TOPIC, KafkaSystem
from ..kafka.kinds import Kinds
from ..kafka.reconciliation import Reconciliation
from .broker import Broker
from .replica import Replica
from .transforms import OUTPUT, Processor

if TYPE_CHECKING:
    from ...kernel.world import World
    from ...workload import Workload
    from .config import Cluster


class RedpandaSystem(KafkaSystem):
    """Brokers, one Raft group a partition, and the clients of the Kafka model, unchanged: the protocol is the same."""

    def __init__(self, config: Cluster, world: World, workload: Workload):
        self.config, self.world, self.workload = config, world, workload
        self.kinds, self.history = Kinds(world.trace), History()
        self.rules = Reconciliation("kip-320")  # what consumers know: a fetch names the epoch of the last record
        for key in range(config.partitions):
            for names in (self.history.keys, world.trace.keys):
                names.code(f"{TOPIC}-{key}")
        self.committed: dict[int, int] = {}
        self.delivered = [0] * config.partitions
        self.brokers = [Broker(self, index, config.zones[index % len(config.zones)]) for index in range(config.brokers)]
        topics = [TOPIC, OUTPUT] if config.transform else [TOPIC]
        names = [f"{topic}-{key}" for topic in topics for key in range(config.partitions)]
        self.progress = dict.fromkeys(range(len(names) - config.partitions), 0)  # what transforms have written down
        self.groups = [self._group(name, key) for key, name in enumerate(names)]
        self._create_clients()
        self.producer.start()
        for consumer in self.consumers:
            consumer.start()

    def _group(self, name: str, key: int) -> Group:
        """A partition: replicas striped over the brokers, and so over the zones; the first one leads from the start."""
        config = self.config
        brokers = [self.brokers[(key + i) % config.brokers] for i in range(config.replication)]
        disks = {broker.node.name: broker.disk for broker in brokers}
        group = Group(self.world, name, [broker.node for broker in brokers], config.raft, disks=disks, member=Replica)
        group.apply = lambda member, offset, entry, event: member.apply(offset, entry, event)
        group.on_role = lambda member, event: member.begin_term() if member.leading else member.resign(event)
        group.begin_with(None, size=0)
        for broker, replica in zip(brokers, group.voters):
            replica.broker, replica.key, broker.replicas[key] = broker, key, replica
            replica.voted_for = brokers[0].node.name
        group.voters[0].become_leader(-1)
        return group

    @property
    def guarantees(self) -> Guarantees:
        """What this configuration promises; losing what was acknowledged is never part of it."""
        producer = self.config.producer
        return Guarantees(idempotence=producer.idempotent, in_order=producer.idempotent or producer.max_in_flight == 1)

    def processor(self, replica: Replica) -> Processor | None:
        """What transforms a partition at its new leader, if anything does."""
        return Processor(replica) if replica.key in self.progress else None

    # What clients know without asking

    def leaders(self) -> dict[int, tuple[int, int]]:
        """Leader and term of every partition that has a leader."""
        leading = ((key, group.leader) for key, group in enumerate(self.groups[:self.config.partitions]))
        return {key: (self.index_of(leader.name), leader.term) if leader else (-1, -1) for key, leader in leading}

    def index_of(self, name: str | None) -> int:
        """The number of the broker with this name, -1 for none."""
        return next((broker.index for broker in self.brokers if broker.node.name == name), -1)

    # The end of a run

    def quiet(self) -> bool:
        """Whether all is settled: records sent or given up, the committed ones read, all replicas alike."""
        return self.producer.done and all(map(self._settled, range(len(self.groups)))) \
            and all(consumer.idle for consumer in self.consumers)

    def _settled(self, key: int) -> bool:
        leader = self.groups[key].leader
        if leader is None or leader.processor and leader.processor.busy:
            return False
        if self.consumers and key < self.config.partitions and self.delivered[key] < leader.committed.end_offset:
            return False
        return all(replica.high_watermark == leader.log.end_offset for replica in self._reachable(key))

    def _reachable(self, key: int) -> list[Replica]:
        """The replicas that are up and, while a network is cut, those that hear the leader."""
        group, cut_off = self.groups[key], bool(self.world.network.rules)
        return [replica for replica in group.voters
                if replica.node.up and not (cut_off and replica.leader != group.leader.name)]

    def finish(self) -> None:
        """The final reader reads every partition from its beginning to its high watermark; the books are closed."""
        reader, now, complete = self.history.processes.code(FINAL_READER), self.world.now, True
        for key in range(self.config.partitions):
            leader = self.groups[key].leader
            complete = complete and leader is not None
            for batch in leader.committed.batches if leader else ():
                self.history.polled(self.history.op(), reader, key, batch.value, batch.count,
                                    batch.offset, OK, now, now)
            self._look_at(key, leader)
        self.history.drained = complete and self.producer.done
        self._count_transformed()
        self.world.meters.integrals["broker seconds"] = self.config.brokers * now
        self.world.meters.counts["stored bytes"] = sum(entry.size for group in self.groups for replica in group.voters
                                                       for entry in replica.log.entries)

    def _count_transformed(self) -> None:
        """How many records the output topic has, and how many of them more than once."""
        for group in self.groups[self.config.partitions:]:
            values = [value for batch in (group.leader.committed.batches if group.leader else ())
                      for value in range(batch.value, batch.value + batch.count)]
            self.world.meters.counts["records transformed"] += len(set(values))
            self.world.meters.counts["records transformed again"] += len(values) - len(set(values))

    def _look_at(self, key: int, leader: Replica | None) -> None:
        """Records what the replicas that follow the present leader know to be committed, the leader first."""
        history, now = self.history, self.world.now
        for replica in sorted(self._reachable(key) if leader else (), key=lambda replica: replica is not leader):
            if replica.term == leader.term:
                name = history.processes.code(replica.name)
                for batch in replica.committed.batches:
                    history.replicas.append(name, key, batch.offset, batch.count, batch.epoch, batch.value, now)
