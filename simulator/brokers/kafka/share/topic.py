"""The records of a run: when each is made, which partition it falls into, and which are out of the ordinary."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

from ....evidence.queue_history import QueueHistory
from ..partitioner import partitions_of

if TYPE_CHECKING:
    from ....kernel.world import World
    from ....workload import Workload
    from .config import Odd, Topic

NAME = "orders"


class Log:
    """The log of one partition: it holds batches, and its records up to `end` can be read."""

    def __init__(self):
        self.batch_ends: list[int] = []

    @property
    def end(self) -> int:
        """The offset that the next record will get."""
        return self.batch_ends[-1] if self.batch_ends else 0

    def append(self, first: int, count: int) -> bool:
        """Adds a batch; False if it is there already, sent again by a producer that had no answer."""
        if first < self.end:
            return False
        self.batch_ends.append(first + count)
        return True

    def batch_end(self, offset: int) -> int:
        """The offset behind the batch that holds this one."""
        return self.batch_ends[bisect_right(self.batch_ends, offset)]


class Records:
    """All records of a run, in the order of their creation: the time, the partition and the offset of each."""

    def __init__(self, config: Topic, world: World, workload: Workload, history: QueueHistory):
        self.times = workload.arrival_times(world.stream("workload/arrivals"))
        count = len(self.times)
        keys = workload.record_keys(world.stream("workload/keys"), count)
        self.partition = partitions_of(keys, count, config.partitions, world.stream("sticky"), config.batch_records)
        self.offset = np.zeros(count, np.int64)
        for key in range(config.partitions):
            mine = self.partition == key
            self.offset[mine] = np.arange(np.count_nonzero(mine))
            history.created[history.keys.code(f"{NAME}-{key}")] = self.times[mine]
            world.trace.keys.code(f"{NAME}-{key}")
        self.logs = [Log() for _ in range(config.partitions)]
        self._odd = {(int(self.partition[odd.record]), int(self.offset[odd.record])): odd
                     for odd in config.odd if odd.record < count}

    def odd(self, key: int, offset: int) -> Odd | None:
        """What is out of the ordinary about this record, if anything is."""
        return self._odd.get((key, offset))

    def created(self, key: int) -> np.ndarray:
        """When the records of this partition were made."""
        return self.times[self.partition == key]
