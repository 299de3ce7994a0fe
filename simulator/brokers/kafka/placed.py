"""A Kafka cluster whose replicas and clients stand where a `Placement` says."""

from __future__ import annotations

import numpy as np

from .cluster import KafkaSystem
from .consumer import ConsumerClient
from .messages import PartitionState
from .producer import ProducerClient


class Producers:
    """Several producers as the system knows one."""

    def __init__(self, clients: list[ProducerClient]):
        self.clients = clients

    def start(self) -> None:
        for client in self.clients:
            client.start()

    @property
    def done(self) -> bool:
        """Whether every record was sent and its fate is known."""
        return all(client.done for client in self.clients)


class PlacedSystem(KafkaSystem):
    """The same brokers and clients, somewhere else."""

    def _initial_state(self, key: int) -> PartitionState:
        """Replicas as they were placed; the first one leads."""
        replicas = tuple(broker - 1 for broker in self.config.placement.replicas[key])
        return PartitionState(key, replicas, replicas[0], 0, tuple(sorted(replicas)), (), 0, replicas[0])

    def _partitions_of(self, times: np.ndarray) -> np.ndarray:
        """The partition of each record, by the placement's shares."""
        return self.config.placement.partitions_of(len(times))

    def _place_clients(self, created: list[np.ndarray]) -> None:
        """Each producer with the records of its partitions, each consumer with the partitions that it reads."""
        placed, nothing = self.config.placement, np.empty(0)
        self.producer = Producers([
            ProducerClient(self, [times if key in keys else nothing for key, times in enumerate(created)],
                           self.workload.record_bytes, number, zone)
            for number, (zone, keys) in enumerate(placed.producers, start=1)])
        self.consumers = [ConsumerClient(self, number, list(keys), zone)
                          for number, (zone, keys) in enumerate(placed.consumers, start=1)]

    def quiet(self) -> bool:
        """As in any cluster; and every group has read everything, not just the fastest."""
        return super().quiet() and all(consumer.position[key] >= self.delivered[key]
                                       for consumer in self.consumers for key in consumer.keys)
