"""The controller: it hears heartbeats, fences brokers, elects leaders and keeps the in-sync replicas.

The KRaft quorum behind it is one node here that never fails; it will get its own model. Decisions follow KIP-631 (registration, fencing),
KIP-497 (AlterPartition) and KIP-966 (eligible leader replicas): a leader is chosen from the in-sync replicas, then from the eligible
ones, then the last known leader if both sets are empty, and only with `unclean_leader_election` from the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .messages import REQUEST_OVERHEAD, PartitionState

if TYPE_CHECKING:
    from .cluster import KafkaSystem


@dataclass
class Registration:
    """What the controller knows of one broker's present life."""
    incarnation: int
    heard: float
    fenced: bool = True


class Controller:
    """The active controller on a node of its own."""

    def __init__(self, system: KafkaSystem, states: list[PartitionState]):
        self.system, self.config, self.world, self.kinds = system, system.config, system.world, system.kinds
        self.node = system.world.node("controller", "controller", system.config.zones[0])
        self.partitions = {state.key: state for state in states}
        self.brokers: dict[int, Registration] = {}

    # Brokers come and go

    def on_heartbeat(self, message: tuple[int, int, bool], event: int) -> None:
        """A heartbeat or a registration; the first of a new life is refused until the session of the last one has ended."""
        index, incarnation, clean = message
        now, known = self.world.now, self.brokers.get(index)
        if known is None or known.fenced and known.incarnation != incarnation:
            self.brokers[index] = Registration(incarnation, now)
            self._admit(index, clean, event)
            self.node.after(self.config.broker_session_timeout, self._check_session, index, incarnation)
        elif known.incarnation == incarnation:
            known.heard = now
            if known.fenced:
                self._admit(index, True, event)
                self.node.after(self.config.broker_session_timeout, self._check_session, index, incarnation)

    def _check_session(self, index: int, incarnation: int) -> None:
        known = self.brokers[index]
        if known.incarnation != incarnation or known.fenced:
            return
        due = known.heard + self.config.broker_session_timeout
        if due > self.world.now + 1e-9:
            self.node.after(due - self.world.now, self._check_session, index, incarnation)
        else:
            self._fence(index)

    def _fence(self, index: int) -> None:
        """Takes a silent broker out of every in-sync set and every leadership."""
        broker = self.system.brokers[index].node
        self.brokers[index].fenced = True
        fenced = self._note(self.kinds.fenced, peer=broker.code, cause=broker.fault, value=round(self.config.broker_session_timeout))
        self._publish([self._without(state, index, fenced) for state in self.partitions.values() if index in state.replicas], fenced)

    def _admit(self, index: int, clean: bool, event: int) -> None:
        """Lets a broker back in and tells it everything; after an unclean shutdown it no longer counts as having all committed records."""
        broker = self.system.brokers[index].node
        self.brokers[index].fenced = False
        admitted = self._note(self.kinds.unfenced, peer=broker.code, cause=event)
        changed = []
        for state in self.partitions.values():
            if index in state.replicas:
                if not clean and self.config.eligible_leader_replicas and index in state.isr + state.elr:
                    state = self._without(state, index, admitted, eligible=False)
                if state.leader < 0:
                    state = self._elect(state, admitted)
                if state is not self.partitions[state.key]:
                    changed.append(state)
        self._publish(changed, admitted)
        self._tell(index, list(self.partitions.values()), admitted)

    # Partitions

    def _without(self, state: PartitionState, index: int, cause: int, eligible: bool = True) -> PartitionState:
        """The partition without this broker in its in-sync set, and with another leader if it led."""
        isr = tuple(b for b in state.isr if b != index)
        elr = tuple(b for b in state.elr if b != index)
        if self.config.eligible_leader_replicas:
            if eligible and index in state.isr + state.elr and len(isr) < self.config.min_insync:
                elr = tuple(sorted(elr + (index,)))
        elif not isr:
            isr = state.isr  # without KIP-966 the last in-sync replica stays in the set, dead or alive
        if state.leader == index:
            state = state._replace(leader=-1, last_known_leader=index)
            return self._elect(state._replace(isr=isr, elr=elr), cause)
        if (isr, elr) == (state.isr, state.elr):
            return state
        return state._replace(isr=isr, elr=elr, partition_epoch=state.partition_epoch + 1)

    def _elect(self, state: PartitionState, cause: int) -> PartitionState:
        """The partition with the best leader there is: in sync, else eligible, else last known, else (unclean) anyone; or with none."""
        alive = [b for b in state.replicas if b in self.brokers and not self.brokers[b].fenced]
        in_sync = [b for b in alive if b in state.isr]
        eligible = [b for b in alive if b in state.elr]
        last_known = [b for b in alive if b == state.last_known_leader and not state.isr and not state.elr]
        anyone = alive if self.config.unclean_leader_election else []
        candidates = in_sync or eligible or last_known or anyone
        if not candidates:
            self._note(self.kinds.offline, state.key, cause)
            return state._replace(partition_epoch=state.partition_epoch + 1)
        if in_sync or eligible:
            doubt = ""
        else:
            doubt = ", as the last known leader" if last_known else ", although it was not in sync (unclean election)"
        isr = tuple(in_sync) or candidates[:1]
        elr = () if doubt or len(isr) >= self.config.min_insync else tuple(b for b in state.elr if b not in isr)
        self._note(self.kinds.elect, state.key, cause, peer=self.system.brokers[candidates[0]].node.code, epoch=state.leader_epoch + 1, text=doubt)
        return state._replace(leader=candidates[0], leader_epoch=state.leader_epoch + 1, isr=tuple(isr), elr=elr, doubt=doubt,
                              partition_epoch=state.partition_epoch + 1, last_known_leader=candidates[0])

    def on_alter_partition(self, message: tuple[int, PartitionState, tuple[int, ...]], event: int) -> None:
        """A leader asks for another in-sync set; refused if it speaks of an old state or names a fenced broker."""
        index, asked, isr = message
        state = self.partitions[asked.key]
        current = state.leader == index and state.leader_epoch == asked.leader_epoch and state.partition_epoch == asked.partition_epoch
        if current and all(not self.brokers[b].fenced for b in isr):
            elr = state.elr
            if self.config.eligible_leader_replicas:
                removed = tuple(b for b in state.isr if b not in isr) if len(isr) < self.config.min_insync else ()
                elr = () if len(isr) >= self.config.min_insync else tuple(sorted(set(state.elr + removed) - set(isr)))
            self._publish([state._replace(isr=isr, elr=elr, partition_epoch=state.partition_epoch + 1)], event)
        else:  # the state as it is makes the leader drop its proposal
            self._publish([state._replace(partition_epoch=state.partition_epoch + 1)], event)

    def _publish(self, states: list[PartitionState], cause: int) -> None:
        """Commits new states and tells all brokers that are in."""
        changed = [state for state in states if state != self.partitions[state.key]]
        for state in changed:
            self.partitions[state.key] = state
        if changed:
            for index, registration in self.brokers.items():
                if not registration.fenced:
                    self._tell(index, changed, cause)

    def _tell(self, index: int, states: list[PartitionState], cause: int) -> None:
        broker = self.system.brokers[index]
        self.world.network.link(self.node, broker.node).send(
            self.kinds.metadata, broker.on_metadata, (self.brokers[index].incarnation, states), REQUEST_OVERHEAD + 50 * len(states), cause)

    def _note(self, kind, key=-1, cause=-1, peer=-1, epoch=-1, value=-1, text="") -> int:
        return self.world.trace.add(self.world.now, kind, self.node.code, peer, key, cause, -1, 0, epoch, value, text)
