"""Who stands where, for clusters that are not spread evenly: replicas of each partition, and clients with their zones.

It lays any topology into the model: replicas as `kafka-reassign-partitions` takes them, producers that write some
partitions only, several groups that read the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..settings import check

if TYPE_CHECKING:
    from .config import Cluster

GOLDEN = (5 ** 0.5 - 1) / 2  # multiples of it, modulo 1, lie evenly at every length: shares are kept without chance


@dataclass(frozen=True)
class Placement:
    """Brokers are numbered from 1 and stand in the cluster's zones in turn; partitions are numbered from 0.

    replicas: the brokers of each partition; the first one leads, as the preferred leader does.
    producers: a zone and the partitions written from there, for each producer; every partition has exactly one of them.
    consumers: a zone and the partitions read from there, for each consumer, instead of the workload's; those that share
    a partition are of different groups. Groups' offsets are not kept apart: a consumer's restart is not modelled.
    shares: how much of the workload's records each partition gets, in any unit; empty for equal parts.
    """
    replicas: tuple[tuple[int, ...], ...]
    producers: tuple[tuple[str, tuple[int, ...]], ...]
    consumers: tuple[tuple[str, tuple[int, ...]], ...] = ()
    shares: tuple[float, ...] = ()

    def fit(self, cluster: Cluster) -> None:
        """Refuses a placement that does not belong to this cluster."""
        partitions, brokers = range(cluster.partitions), range(1, cluster.brokers + 1)
        check(self, "replicas", len(self.replicas) == len(partitions) and all(
            len(set(each)) == len(each) == cluster.replication and set(each) <= set(brokers) for each in self.replicas),
            f"{cluster.replication} different brokers, from 1 to {cluster.brokers}, for each of the partitions")
        written = sorted(key for _, keys in self.producers for key in keys)
        check(self, "producers", written == list(partitions), "clients with a zone, one for each partition")
        check(self, "consumers", all(set(keys) <= set(partitions) for _, keys in self.consumers),
              f"clients with a zone, and partitions from 0 to {len(partitions) - 1}")
        check(self, "shares", len(self.shares) in (0, len(partitions)) and all(share > 0 for share in self.shares),
              "empty, or a number greater than 0 for each partition")

    def partitions_of(self, count: int) -> np.ndarray:
        """The partition of each of `count` records, by the shares."""
        shares = np.array(self.shares or (1.0,) * len(self.replicas))
        return np.searchsorted(np.cumsum(shares) / shares.sum(), np.arange(1, count + 1) * GOLDEN % 1.0, side="right")
