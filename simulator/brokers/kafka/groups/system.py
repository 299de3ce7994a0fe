"""Coordinator, members and growing partitions wired together: what `simulate` runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ....evidence.history import OK, History
from ....evidence.policy import Guarantees
from .classic import ClassicCoordinator, ClassicMember
from .kinds import SENTENCES
from .plan import Planned
from .reconciliation import ReconcilingCoordinator, ReconcilingMember

if TYPE_CHECKING:
    from ....kernel.world import World
    from ....workload import Workload
    from .config import Group

TOPIC = "orders"
BATCH = 0.005  # seconds of records that stand in the history as one send


class GroupSystem(Planned):
    """One group over one topic; every partition gets `workload.rate / partitions` records a second, evenly."""
    classic, reconciling = ClassicCoordinator, ReconcilingCoordinator

    def __init__(self, config: Group, world: World, workload: Workload):
        self.config, self.world, self.workload, self.history = config, world, workload, History()
        self.kinds = {name: world.trace.kind(name, *how) for name, how in SENTENCES.items()}
        self.rate = workload.rate / config.partitions
        self.total = int(self.rate * workload.seconds + 1e-9)
        created = np.arange(1, self.total + 1) / self.rate
        for key in range(config.partitions):
            self.history.created[self.history.keys.code(f"{TOPIC}-{key}")] = created
            world.trace.keys.code(f"{TOPIC}-{key}")
        consumer = config.protocol == "consumer"
        self.coordinator = (self.reconciling if consumer else self.classic)(self)
        self.members = [(ReconcilingMember if consumer else ClassicMember)(self, number + 1)
                        for number in range(workload.consumers)]
        self._plan()

    def end(self, key: int) -> int:
        """How many records a partition holds by now."""
        return min(self.total, int(self.world.now * self.rate))

    @property
    def guarantees(self) -> Guarantees:
        """At least once: what moves is read again from its last commit."""
        return Guarantees(subscribe=True)

    def quiet(self) -> bool:
        """Whether all that was planned is over, all partitions have owners, all records are done and committed."""
        planned = max((event.ends for event in self.config.events), default=0.0)
        committed = self.coordinator.committed
        owned = sum(len(member.owned) for member in self.members)
        all_done = all(committed.get(key, 0) == self.total for key in range(self.config.partitions))
        return self.world.now > planned and owned == self.config.partitions and all_done

    def finish(self) -> None:
        """Writes the sends into the history, one row for every few milliseconds."""
        history, size = self.history, max(1, int(self.rate * BATCH))
        producer = history.processes.code("producer-1")
        for first in range(0, self.total, size):
            count = min(size, self.total - first)
            began, done = (first + 1) / self.rate, (first + count) / self.rate
            for key in range(self.config.partitions):
                history.sent(history.op(), producer, key, first, count, first, OK, 0, began, done)
