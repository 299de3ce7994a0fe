"""Producer, brokers, coordinator and members wired together: what `simulate` runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....evidence.policy import Guarantees
from ....evidence.queue_history import QueueHistory
from ..groups.plan import Planned
from .coordinator import Coordinator
from .kinds import SENTENCES
from .leader import Broker
from .member import Member
from .producer import Producer
from .topic import Records

if TYPE_CHECKING:
    from ....kernel.node import Node
    from ....kernel.world import World
    from ....workload import Workload
    from .config import ShareGroup

BROKERS = 2  # one leads, the other waits


class ShareSystem(Planned):
    """One share group over one topic, and the history that its clients and its coordinator write."""

    def __init__(self, config: ShareGroup, world: World, workload: Workload):
        self.config, self.world, self.workload, self.history = config, world, workload, QueueHistory()
        self.kinds = {name: world.trace.kind(name, *how) for name, how in SENTENCES.items()}
        self.records = Records(config, world, workload, self.history)
        self.processes: dict[tuple[int, int], int] = {}  # of each member id, in the history
        self.epoch = -1                                  # of the leader
        self.brokers = [Broker(self, number + 1) for number in range(BROKERS)]
        self.coordinator = Coordinator(self)
        self.producer = Producer(self)
        self.members = [Member(self, number + 1) for number in range(workload.consumers)]
        self.brokers[0].lead()
        self._plan()

    def member_at(self, node: Node) -> Member | None:
        """The member on this node, if there is one."""
        return next((member for member in self.members if member.node is node), None)

    # Who leads

    def leader_died(self) -> None:
        """All locks died with it; another broker leads once the controller has missed it for long enough."""
        for id in self.leader.counting_on_it():
            self.let_go(id)
        self.history.failover(self.world.now)
        self.world.after(self.config.broker_session_timeout, self._elect, self.epoch)

    def _elect(self, epoch: int) -> None:
        if epoch == self.epoch and not self.leader.node.up:
            other = next((broker for broker in self.brokers if broker.node.up), None)
            if other is not None:
                other.lead()

    def let_go(self, id: tuple[int, int]) -> None:
        """A member has lost its session, and with it all it held."""
        self.history.disconnect(self.history.processes[self.processes[id]], self.world.now)

    # What is promised, and the end of a run

    @property
    def guarantees(self) -> Guarantees:
        """At least once, in no order, and as often as the delivery limit says."""
        return Guarantees(in_order=False, delivery_limit=self.config.delivery_count_limit)

    def quiet(self) -> bool:
        """Whether every record is sent and done, and nobody has any in hand."""
        shares = self.leader.shares
        done = len(shares) == self.config.partitions and all(
            share.start_offset == log.end for share, log in zip(shares.values(), self.records.logs))
        return self.producer.done and done and not self.leader.unwritten and all(member.idle for member in self.members)

    def finish(self) -> None:
        """Closes the books; the history is drained if nothing is left to hand out."""
        self.producer.finish()
        self.history.drained = self.quiet()
