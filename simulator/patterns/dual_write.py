"""Two writes, one to the database and one to the broker: what a crash between them leaves behind.

Modelled: a service that handles orders concurrently, commits each and then publishes it (`first="commit"`), or the
other way round. A crash ends what it was doing, and nobody remembers. While it is down nobody takes orders.

Left out: retries by the service or by its clients, which narrow the window and do not close it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..kernel.distributions import Distribution, as_distribution, check
from ..kernel.network import NetworkProfile
from .database import STORING, Database
from .parts import PUBLISHING, Broker, System, changes, one_of, probability, seconds

if TYPE_CHECKING:
    from ..kernel.world import World
    from ..workload import Workload

SENTENCES = PUBLISHING | STORING | {"order": ("local", "{node} takes order {value}")}


@dataclass(frozen=True)
class DualWrite:
    """A service that writes to its database and to a broker.

    first: what it does first, "commit" or "publish".
    gap: seconds between the two, in which the service does something else: serialises, logs, waits for a thread.
    transaction: seconds from insert to commit, a number or a distribution. rollback: share of transactions that fail.
    """
    first: str = "commit"
    gap: float = 0.005
    transaction: float | Distribution = 0.001
    rollback: float = 0.0
    network: NetworkProfile = field(default_factory=NetworkProfile)

    def __post_init__(self):
        one_of(self, "first", "commit", "publish")
        seconds(self, "gap")
        as_distribution("transaction", self.transaction)
        probability(self, "rollback")
        check("network", self.network, isinstance(self.network, NetworkProfile), "a NetworkProfile")

    def build(self, world: World, workload: Workload) -> DualWriteSystem:
        """The running system in this world."""
        return DualWriteSystem(self, world, workload)

    def __str__(self) -> str:
        return f"DualWrite({changes(self)})"


class DualWriteSystem(System):
    """Service, database and broker of one run."""

    def __init__(self, config: DualWrite, world: World, workload: Workload):
        super().__init__(config, world, workload, SENTENCES)
        self.node = world.node("service-1", "producer")
        self.database = Database(self, config.transaction, config.rollback)
        self.broker = Broker(self)
        self.database.on_rollback = self._done
        self.at_work: dict[int, None] = {}
        self.node.on_crash = self._crashed

    def begin(self, value: int) -> None:
        """Takes an order, if the service is up."""
        if self.node.up:
            event = self.note(self.node, "order", -1, value)
            self.began(value, event)
            self.at_work[value] = None
            (self._insert if self.config.first == "commit" else self._publish)(value, event)

    def _insert(self, value: int, cause: int) -> None:
        message = (value, self.node, self._committed)
        self.send(self.node, self.database.node, "insert", self.database.on_insert, message, cause, value)

    def _committed(self, value: int, event: int) -> None:
        self._next(self._publish, value, event, last=self.config.first == "publish")

    def _publish(self, value: int, cause: int) -> None:
        message = (value, self.node, self._published)
        self.send(self.node, self.broker.node, "publish", self.broker.on_publish, message, cause, value)

    def _published(self, value: int, event: int) -> None:
        self._next(self._insert, value, event, last=self.config.first == "commit")

    def _next(self, write, value: int, event: int, last: bool) -> None:
        if last:
            self._done(value)
        else:
            self.node.after(self.config.gap, write, value, event)

    def _done(self, value: int) -> None:
        self.at_work.pop(value, None)

    def _crashed(self, power_lost: bool) -> None:
        self.at_work.clear()

    def quiet(self) -> bool:
        """Whether every order has been dealt with."""
        return self.made == len(self.times) and not self.database.open and not self.at_work

    def finish(self) -> None:
        """Closes the books."""
        self.close({"orders": self.broker.topic})
