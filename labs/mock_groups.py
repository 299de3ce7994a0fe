"""A model of the mock's groups: `kafka.Group` with the few rules in which librdkafka's mock brokers differ from
Kafka's.

What a broker that is not Kafka does is predicted by a model that is not Kafka's either; the rest of the rules, and
all of the members', are the simulator's own. From src/rdkafka_mock_cgrp.c and src/rdkafka_mock_handlers.c (librdkafka
2.16):

- the barrier of a classic group does not fall when everybody is there, but session.timeout - 1 s after it went up;
- while it stands commits are refused, also those with which members give up their partitions: what they did is done
  again;
- sessions are looked at once a second;
- the target of a KIP-848 group is a range over the members in the order in which they came, whoever owned what.

Left out: the mock reads `group.instance.id` of a classic member and forgets it (a static member that comes back is a
stranger, and its old self stays until the session ends), so that the protocol "static" is refused here."""

from __future__ import annotations

from math import ceil

from simulator.brokers.kafka.groups import Group
from simulator.brokers.kafka.groups.assignor import ranges
from simulator.brokers.kafka.groups.classic import PREPARING, ClassicCoordinator
from simulator.brokers.kafka.groups.coordinator import MOMENT, REBALANCING
from simulator.brokers.kafka.groups.reconciliation import ReconcilingCoordinator
from simulator.brokers.kafka.groups.system import GroupSystem

TICK = 1.0            # seconds between two looks at the sessions
SHORTER = 1.0         # seconds by which the barrier is shorter than a session


class _Ticking:
    """Sessions are looked at once a second."""

    def _check_session(self, member) -> None:
        if self.members.get(member.id) is not member:
            return
        left = ceil((member.seen + self.config.session_timeout) / TICK) * TICK - self.world.now
        if left <= MOMENT and not member.waiting:
            self.remove(member, "session timeout", -1)
        else:
            self.node.after(left if left > MOMENT else TICK, self._check_session, member)


class MockClassic(_Ticking, ClassicCoordinator):
    """The barrier stands for its time."""

    def _prepare(self, why: str, event: int) -> None:
        super()._prepare(why, event)
        if not self.delaying:
            self.node.after(self.config.session_timeout - SHORTER, self._fall, self.round)

    def _fall(self, round: int) -> None:
        if round == self.round and self.state == PREPARING:
            self._complete(-1)

    def _complete_if_all_are_here(self, event: int) -> None:
        """Not before its time; only the first barrier of all, whose delay is over, may fall here."""
        if self.generation == 0:
            super()._complete_if_all_are_here(event)

    def commit_refusal(self, id, epoch: int, keys) -> str:
        return super().commit_refusal(id, epoch, keys) or (REBALANCING if self.state == PREPARING else "")


class MockReconciling(_Ticking, ReconcilingCoordinator):
    """The target is a range."""

    def _compute(self) -> None:
        super()._compute()
        if self.members:
            self.target = ranges(list(self.members), self.config.partitions)


class _MockSystem(GroupSystem):
    classic, reconciling = MockClassic, MockReconciling


class MockGroup(Group):
    """A `kafka.Group` whose coordinator is librdkafka's mock broker."""

    def __post_init__(self):
        super().__post_init__()
        if self.protocol == "static":
            raise ValueError("protocol: 'static' is unknown to the mock; it has 'eager', 'cooperative', 'consumer'")

    def build(self, world, workload):
        """The running group in this world."""
        return _MockSystem(self, world, workload)
