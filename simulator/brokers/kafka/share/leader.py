"""The broker that leads the partitions: it keeps the share-partitions, and writes down what must outlive it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from .producer import OVERHEAD
from .share_partition import Member as Id
from .share_partition import SharePartition, State

if TYPE_CHECKING:
    from ....kernel.node import Node
    from .member import Member
    from .producer import Producer
    from .system import ShareSystem

PER_RECORD = 24       # bytes about a record beside it: state, delivery count, acknowledgement
WRITE_TIMEOUT = 1.0   # seconds until an unanswered write of share-group state is sent again
Settled = list[tuple[int, Id, str]]  # records that are over, or given back: offset, who held them, what was said


class Broker:
    """One broker. It leads all partitions, or none and waits."""

    def __init__(self, system: ShareSystem, number: int):
        self.system, self.config, self.world, self.kinds = system, system.config, system.world, system.kinds
        zones = system.config.zones
        self.node = system.world.node(f"broker-{number}", "broker", zones[(number - 1) % len(zones)])
        self.node.on_start, self.node.on_crash = self._started, self._crashed
        self.node.on_disconnect = self._disconnected
        self._forget()

    def _forget(self) -> None:
        self.epoch = -1                                      # of its leadership
        self.shares: dict[int, SharePartition] = {}          # by partition
        self.waiting: dict[Id, tuple] = {}                   # fetches that found nothing, in order
        self.unwritten: dict[int, tuple] = {}                # writes that the share coordinator has not confirmed
        self.writes = 0

    # Leading

    def lead(self, cause: int = -1) -> None:
        """Leads from now on, once it has read what the share coordinator knows."""
        self.system.leader, self.system.epoch = self, self.system.epoch + 1
        self.epoch = self.system.epoch
        for key, log in enumerate(self.system.records.logs):
            elected = self.note("elected", cause, key=key, offset=log.end, epoch=self.epoch)
        self._read_state(elected)

    def _read_state(self, cause: int) -> None:
        if not self.shares:
            coordinator = self.system.coordinator
            self.tell(coordinator.node, "read_state", coordinator.on_read_state, (self, self.epoch), cause)
            self.node.after(WRITE_TIMEOUT, self._read_state, cause)

    def on_state(self, message: tuple, event: int) -> None:
        """Records that were in somebody's hands are available again: only the old leader knew of the locks."""
        epoch, stored = message
        if epoch != self.epoch or self.shares:
            return
        config = self.config
        for key in range(config.partitions):
            start, states = stored.get(key, (0, {}))
            share = self.shares[key] = SharePartition(config.delivery_count_limit, config.partition_max_record_locks,
                                                      start, states)
            if states:
                self.note("recovered", event, key=key, offset=share.start_offset, count=share.in_flight, states=share)
        self._serve_waiting()

    def _started(self) -> None:
        if self.system.leader is self or not self.system.leader.node.up:
            self.lead(self.node.fault)

    def _crashed(self, power_lost: bool) -> None:
        if self.system.leader is self:
            self.system.leader_died()
        self._forget()

    def counting_on_it(self) -> list[Id]:
        """The members that hold a lock, or have said something that is not stored yet."""
        holders = [record.member for share in self.shares.values() for record in share.records.values()
                   if record.state == State.ACQUIRED]
        speakers = [id for _, _, _, settled, _, _ in self.unwritten.values() for _, id, _ in settled]
        return list(dict.fromkeys(holders + speakers))

    # Producing

    def on_produce(self, message: tuple[Producer, int, int, int], event: int) -> None:
        """Records arrive; replication is left out, so they are committed and safe."""
        producer, key, first, count = message
        if self.system.records.logs[key].append(first, count):
            event = self.note("append", event, key=key, offset=first, count=count, epoch=self.epoch, value=first)
        self.tell(producer.node, "produced", producer.on_produced, (key, first), event, key=key, offset=first,
                  count=count, value=first)
        self._serve_waiting()

    # Fetching

    def on_share_fetch(self, message: tuple[Member, Id, int, tuple[int, ...]], event: int) -> None:
        """A member wants records; if there are none the answer waits for them, up to `fetch_max_wait`."""
        member, id, number, keys = message
        self.waiting.pop(id, None)
        if not self._serve(member, id, number, keys, event):
            self.waiting[id] = (member, id, number, keys, event)
            self.node.after(self.config.fetch_max_wait, self._give_up, id, number)

    def _give_up(self, id: Id, number: int) -> None:
        if id in self.waiting and self.waiting[id][2] == number:
            member, _, _, _, event = self.waiting.pop(id)
            self.tell(member.node, "share_fetched", member.on_share_fetched, (number, []), event)

    def _serve_waiting(self) -> None:
        """Those who have waited longest first; where one finds nothing, nobody else would in the same partitions."""
        bare = set()
        for id, fetch in list(self.waiting.items()):
            *_, keys, _ = fetch
            if keys not in bare and self._serve(*fetch):
                del self.waiting[id]
            else:
                bare.add(keys)

    def _serve(self, member: Member, id: Id, number: int, keys: tuple[int, ...], event: int) -> bool:
        """Answers with records from the member's partitions, in turn; False if there are none."""
        room, deadline, given = self.config.max_poll_records, self.world.now + self.config.record_lock_duration, []
        for turn in range(len(keys)):
            key = keys[(number + turn) % len(keys)]
            taken = self._acquire(id, key, room, deadline)
            room -= len(taken)
            if taken:
                self._acquired(member, key, taken, event)
                self.node.after(self.config.record_lock_duration, self._expire, key, taken)
                records = self.shares[key].records
                given += [(key, offset, records[offset].delivery_count, deadline, self.system.history.op())
                          for offset in taken]
            if room <= 0:
                break
        if given:
            size = OVERHEAD + len(given) * (self.system.workload.record_bytes + PER_RECORD)
            self.tell(member.node, "share_fetched", member.on_share_fetched, (number, given), event, size,
                      key=given[0][0], offset=given[0][1], count=len(given), value=given[0][1])
        return bool(given)

    def _acquire(self, id: Id, key: int, room: int, deadline: float) -> list[int]:
        log, whole_batches = self.system.records.logs[key], self.config.acquire_mode == "batch_optimized"
        share = self.shares.get(key)
        return share.acquire(id, room, log.end, deadline, log.batch_end if whole_batches else None) if share else []

    # Acknowledging

    def on_share_acknowledge(self, message: tuple[Member, Id, dict], event: int) -> None:
        """A member says what became of its records; what it no longer holds is refused."""
        member, id, outcomes = message
        for key, of in outcomes.items():
            share, taken, refused = self.shares.get(key), [], []
            for offset, how in of.items():
                good = share is not None and (how == "renew" and self._renew(id, key, offset, event)
                                              or how != "renew" and share.acknowledge(id, offset, how))
                (taken if good else refused).append(offset)
            for offset in refused:
                self.note("refused", event, key=key, offset=offset, peer=member.node.code, text=of[offset])
            settled = [(offset, id, of[offset]) for offset in taken if of[offset] != "renew"]
            if settled:
                self._write(key, settled, event)

    def _renew(self, id: Id, key: int, offset: int, event: int) -> bool:
        duration = self.config.record_lock_duration
        if not self.shares[key].renew(id, offset, self.world.now + duration):
            return False
        self.note("renewed", event, key=key, offset=offset, peer=id[0])
        self.node.after(duration, self._expire, key, [offset])
        return True

    def _expire(self, key: int, offsets: list[int]) -> None:
        share = self.shares.get(key)
        if share is None:
            return
        holders = {offset: share.records[offset].member for offset in offsets if offset in share.records}
        over = share.expire(offsets, self.world.now)
        if over:
            event = self.note("lock_expired", -1, key=key, offset=over[0], count=len(over), peer=holders[over[0]][0])
            self._write(key, [(offset, holders[offset], "expired") for offset in over], event)
            self._serve_waiting()

    # Sessions

    def on_share_close(self, message: tuple[Member, Id], event: int) -> None:
        """A member closes its session in good order."""
        _, id = message
        self.waiting.pop(id, None)
        self._close(lambda holder: holder == id, event)

    def _disconnected(self, peer: Node) -> None:
        """A connection is gone, and the session with it, at once: no lock has to run out."""
        member = self.system.member_at(peer)
        if member is not None:
            gone = lambda id: id[0] == peer.code and not (member.running and id == member.id)
            self.waiting = {id: fetch for id, fetch in self.waiting.items() if not gone(id)}
            self._close(gone, peer.fault)

    def _close(self, gone: Callable[[Id], bool], cause: int) -> None:
        for key, share in self.shares.items():
            holders = {offset: record.member for offset, record in share.records.items()
                       if record.state == State.ACQUIRED}
            offsets = share.close(gone)
            for id in dict.fromkeys(holders[offset] for offset in offsets):
                self.system.let_go(id)
            if offsets:
                event = self.note("session_closed", cause, key=key, offset=offsets[0], count=len(offsets),
                                  peer=holders[offsets[0]][0])
                self._write(key, [(offset, holders[offset], "closed") for offset in offsets], event)

    # What must outlive this broker

    def _write(self, key: int, settled: Settled, cause: int) -> None:
        """Sends the new states to the share coordinator; what waits for that is marked `writing` in the records."""
        share = self.shares[key]
        records = {offset: share.records[offset] for offset, _, _ in settled}
        states = {offset: (record.state, record.delivery_count) for offset, record in records.items()}
        waiting = [offset for offset, record in records.items() if record.writing]
        for offset, id, how in settled:
            state, count = states[offset]
            self.note("moved", cause, key=key, offset=offset, peer=id[0], epoch=count, value=state,
                      text=f"{state.name.lower()} ({how})")
        self.writes += 1
        self.unwritten[self.writes] = (key, share.start_offset, states, settled, waiting, cause)
        self._send_write(self.writes)

    def _send_write(self, number: int) -> None:
        if number in self.unwritten:
            key, start, states, settled, _, cause = self.unwritten[number]
            message = (self, self.epoch, number, key, start, states, settled)
            coordinator, size = self.system.coordinator, OVERHEAD + PER_RECORD * len(states)
            self.tell(coordinator.node, "write_state", coordinator.on_write_state, message, cause, size,
                      key=key, offset=min(states), count=len(states))
            self.node.after(WRITE_TIMEOUT, self._send_write, number)

    def on_state_written(self, message: tuple[int, int], event: int) -> None:
        """The states are safe, and what follows from them may follow."""
        epoch, number = message
        if epoch != self.epoch or number not in self.unwritten:
            return
        key, _, _, _, waiting, _ = self.unwritten.pop(number)
        share = self.shares[key]
        before = share.start_offset
        share.stored(waiting)
        if share.start_offset > before:
            self.note("start_offset", event, key=key, offset=share.start_offset, count=share.start_offset - before)
        self._serve_waiting()

    # Evidence and messages

    def _acquired(self, member: Member, key: int, offsets: Iterable[int], cause: int) -> None:
        records = self.shares[key].records
        for offset in offsets:
            self.note("acquired", cause, key=key, offset=offset, peer=member.node.code, count=1,
                      epoch=records[offset].delivery_count)

    def tell(self, target: Node, kind: str, handler: Callable, message, cause: int, size: int = OVERHEAD, *,
             key: int = -1, offset: int = -1, count: int = 0, value: int = -1) -> None:
        """Sends something to a node."""
        link = self.world.network.link(self.node, target)
        link.send(self.kinds[kind], handler, message, size, cause, key, offset, count, self.epoch, value)

    def note(self, kind: str, cause: int, *, key: int = -1, offset: int = -1, count: int = 0, peer: int = -1,
             epoch: int = -1, value: int = -1, text: str = "", states: SharePartition | None = None) -> int:
        """Writes into the trace what happened here."""
        if states is not None:
            text = "".join(str(int(states.records[at].state)) for at in range(states.start_offset, states.end_offset))
        return self.world.trace.add(self.world.now, self.kinds[kind], self.node.code, peer, key, cause, offset, count,
                                    epoch, value, text)
