"""Two coordinators on one node: of the group (who reads what) and of its share state (what must outlive a leader)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....evidence.history import OK
from ....evidence.queue_history import ACTIONS, QUEUE
from .assignor import share_out
from .producer import OVERHEAD
from .share_partition import State

if TYPE_CHECKING:
    from .leader import Broker
    from .member import Member
    from .system import ShareSystem

PER_PARTITION = 12     # bytes for each partition that an answer names
MOMENT = 1e-9          # seconds; timers that are due within it are due
ACTION_OF = {"accept": "ack", "release": "requeue", "reject": "reject"}  # in the words of a queue's history


class Coordinator:
    """The broker with the group's part of __consumer_offsets and __share_group_state; both outlive its process."""

    def __init__(self, system: ShareSystem):
        self.system, self.config, self.world, self.kinds = system, system.config, system.world, system.kinds
        self.node = system.world.node("coordinator", "broker", system.config.zones[0])
        self.node.on_start = self._restarted
        self.seen: dict[tuple[int, int], float] = {}                     # member id -> its last heartbeat
        self.assigned: dict[tuple[int, int], tuple[int, ...]] = {}
        # partition -> start offset, and from there on: offset -> ((state, delivery count), which write said so)
        self.stored: dict[int, tuple[int, dict]] = {}
        self.epoch = -1                                                  # of the leader that may write

    # The group (ShareGroupHeartbeat)

    def on_heartbeat(self, message: tuple[Member, tuple[int, int]], event: int) -> None:
        """A member is alive; it learns its partitions. Whom nobody knows has joined."""
        member, id = message
        joined = id not in self.seen
        self.seen[id] = self.world.now
        if joined:
            self.node.after(self.config.session_timeout, self._check_session, id)
            self._assign(event)
        keys = self.assigned[id]
        self._answer(member.node, "heartbeat_answer", member.on_assignment, (id, keys), event,
                     PER_PARTITION * len(keys), len(keys))

    def on_leave(self, message: tuple[Member, tuple[int, int]], event: int) -> None:
        """A member leaves in good order."""
        self._remove(message[1], "it leaves", event)

    def _check_session(self, id: tuple[int, int]) -> None:
        if id in self.seen:
            left = self.seen[id] + self.config.session_timeout - self.world.now
            if left > MOMENT:
                self.node.after(left, self._check_session, id)
            else:
                self._remove(id, "session timeout", -1)

    def _remove(self, id: tuple[int, int], why: str, cause: int) -> None:
        if self.seen.pop(id, None) is not None:
            self._assign(self.note("removed", cause, peer=id[0], note=why))

    def _assign(self, cause: int) -> None:
        """Nobody has to give anything up first: a partition may have several readers at any time."""
        self.assigned = share_out({id: self.assigned.get(id, ()) for id in self.seen}, self.config.partitions)
        self.note("assignment", cause, count=len(self.seen))

    def _restarted(self) -> None:
        """The process is back, and every session begins anew."""
        for id in self.seen:
            self.seen[id] = self.world.now
            self.node.after(self.config.session_timeout, self._check_session, id)

    # The share state (ReadShareGroupState, WriteShareGroupState)

    def on_read_state(self, message: tuple[Broker, int], event: int) -> None:
        """A new leader begins; what its predecessors still send is of the past."""
        broker, epoch = message
        self.epoch = max(self.epoch, epoch)
        stored = {key: (start, {offset: state for offset, (state, _) in known.items()})
                  for key, (start, known) in self.stored.items()}
        self._answer(broker.node, "state", broker.on_state, (epoch, stored), event)

    def on_write_state(self, message: tuple, event: int) -> None:
        """Stores states; only now is it true that a record is done, given back or given up."""
        broker, epoch, number, key, start, states, settled = message
        if epoch < self.epoch:
            self.note("fenced", event, peer=broker.node.code, epoch=epoch)
            return
        before, known = self.stored.get(key, (0, {}))
        start, version = max(start, before), (epoch, number)  # what was sent again may be older than what is stored
        news = [entry for entry in settled
                if entry[0] >= start and (entry[0] not in known or known[entry[0]][1] < version)]
        known |= {offset: (states[offset], version) for offset, _, _ in news}
        self.stored[key] = (start, {offset: known[offset] for offset in sorted(known) if offset >= start})
        for offset, id, how in news:
            spent = how != "reject" and states[offset][0] == State.ARCHIVED
            self._settle(key, offset, id, "deadletter" if spent else ACTION_OF.get(how), event)
        self._answer(broker.node, "state_written", broker.on_state_written, (epoch, number), event)

    def _settle(self, key: int, offset: int, id: tuple[int, int], action: str | None, event: int) -> None:
        """A lock that ran out or a session that ended settles nothing, unless it was the record's last delivery."""
        if action is not None:
            history, system = self.system.history, self.system
            process = history.processes.code(QUEUE) if action == "deadletter" else system.processes[id]
            history.settled(history.op(), process, key, offset, ACTIONS.index(action), OK, self.world.now, event)

    def note(self, kind: str, cause: int, **columns) -> int:
        """Writes into the trace what happened here."""
        return self.world.trace.add(self.world.now, self.kinds[kind], self.node.code, cause=cause, **columns)

    def _answer(self, target, kind: str, handler, message, cause: int, size: int = 0, count: int = 0) -> None:
        link = self.world.network.link(self.node, target)
        link.send(self.kinds[kind], handler, message, OVERHEAD + size, cause, -1, -1, count)
