"""What a controller decides: who leads a partition and who counts as in sync, given the brokers it believes alive.

The rules are those of KIP-631 (fencing), KIP-497 (AlterPartition) and KIP-966 (eligible leader replicas): a leader is
chosen from the in-sync replicas, then from the eligible ones, then the last known leader if both sets are empty, and
only with `unclean_leader_election` from the rest. What becomes of a decision, and who hears of it, is the business of
the controller that made it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .messages import PartitionState

if TYPE_CHECKING:
    from ...kernel.node import Node
    from .cluster import KafkaSystem


class Decisions:
    """The rules, over `partitions` (key -> state) and `brokers` (index -> what has `fenced`); `node` tells them."""

    partitions: dict[int, PartitionState]
    brokers: dict

    def __init__(self, system: KafkaSystem, node: Node):
        self.system, self.config, self.world, self.kinds = system, system.config, system.world, system.kinds
        self.node = node

    def without_broker(self, index: int, cause: int) -> list[PartitionState]:
        """What a broker held, once it is fenced: out of every in-sync set and every leadership."""
        return [self._without(state, index, cause) for state in self.partitions.values() if index in state.replicas]

    def with_broker(self, index: int, clean: bool, cause: int) -> list[PartitionState]:
        """A broker is let back in; after an unclean shutdown it is no longer trusted to have all committed records."""
        changed = []
        for state in self.partitions.values():
            if index in state.replicas:
                if not clean and self.config.eligible_leader_replicas and index in state.isr + state.elr:
                    state = self._without(state, index, cause, eligible=False)
                if state.leader < 0:
                    state = self._elect(state, cause)
                if state is not self.partitions[state.key]:
                    changed.append(state)
        return changed

    def after_unclean_shutdown(self, index: int, cause: int) -> list[PartitionState]:
        """A broker is back that may have lost records: neither in sync nor eligible any more (KIP-966)."""
        trusted = [state for state in self.partitions.values() if index in state.isr + state.elr
                   and self.config.eligible_leader_replicas]
        return [self._without(state, index, cause, eligible=False) for state in trusted]

    def is_current(self, index: int, asked: PartitionState) -> bool:
        """Whether a leader that asks for a change leads, and speaks of the partition as it is."""
        state = self.partitions[asked.key]
        return (state.leader, state.leader_epoch, state.partition_epoch) == (
            index, asked.leader_epoch, asked.partition_epoch)

    def with_isr(self, key: int, isr: tuple[int, ...]) -> PartitionState:
        """The partition with another in-sync set; below min_insync those who leave it stay eligible."""
        state = self.partitions[key]
        elr = state.elr
        if self.config.eligible_leader_replicas:
            removed = tuple(b for b in state.isr if b not in isr) if len(isr) < self.config.min_insync else ()
            elr = () if len(isr) >= self.config.min_insync else tuple(sorted(set(state.elr + removed) - set(isr)))
        return state._replace(isr=isr, elr=elr, partition_epoch=state.partition_epoch + 1)

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
        """The partition under its best leader: in sync, else eligible, else last known, else (unclean) any, or none."""
        alive = [b for b in state.replicas if b in self.brokers and not self.brokers[b].fenced]
        in_sync = [b for b in alive if b in state.isr]
        eligible = [b for b in alive if b in state.elr]
        last_known = [b for b in alive if b == state.last_known_leader and not state.isr and not state.elr]
        anyone = alive if self.config.unclean_leader_election else []
        candidates = in_sync or eligible or last_known or anyone
        if not candidates:
            self.note(self.kinds.offline, state.key, cause)
            return state._replace(partition_epoch=state.partition_epoch + 1)
        if in_sync or eligible:
            doubt = ""
        else:
            doubt = ", as the last known leader" if last_known else ", although it was not in sync (unclean election)"
        isr = tuple(in_sync) or candidates[:1]
        elr = () if doubt or len(isr) >= self.config.min_insync else tuple(b for b in state.elr if b not in isr)
        self.note(self.kinds.elect, state.key, cause, peer=self.system.brokers[candidates[0]].node.code,
                  epoch=state.leader_epoch + 1, text=doubt)
        return state._replace(leader=candidates[0], leader_epoch=state.leader_epoch + 1, isr=tuple(isr), elr=elr,
                              doubt=doubt, partition_epoch=state.partition_epoch + 1, last_known_leader=candidates[0])

    def note(self, kind, key=-1, cause=-1, offset=-1, peer=-1, epoch=-1, value=-1, text="") -> int:
        """Writes what this controller does into the trace."""
        return self.world.trace.add(self.world.now, kind, self.node.code, peer, key, cause, offset, 0,
                                    epoch, value, text)
