"""A member of the group: it polls, works on what it got, and says what became of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ....kernel.distributions import Distribution, Fixed
from .producer import OVERHEAD, RETRY_BACKOFF

if TYPE_CHECKING:
    from ....kernel.world import World
    from .system import ShareSystem

REQUEST_TIMEOUT = 30.0   # request.timeout.ms
PER_ACKNOWLEDGEMENT = 12  # bytes


class Taken(NamedTuple):
    """A record in the hands of a member."""
    key: int
    offset: int
    event: int


def sampler(world: World, number: int, work: Distribution) -> Callable[[], float]:
    """The seconds of work in a record, for this consumer."""
    return (lambda: work.value) if isinstance(work, Fixed) else world.sampler(f"work/consumer-{number}", work)


class Member:
    """One process of the application, with its share consumer; it works on one record at a time."""

    def __init__(self, system: ShareSystem, number: int):
        self.system, self.config, self.world, self.kinds = system, system.config, system.world, system.kinds
        zones = system.config.zones
        self.node = system.world.node(f"consumer-{number}", "consumer", zones[(number - 1) % len(zones)])
        self.node.on_start, self.node.on_crash, self.node.on_disconnect = self.start, self._crashed, self._disconnected
        work = system.workload.work
        self._work = sampler(self.world, number, work)
        phase = system.world.stream(f"heartbeat/consumer-{number}").uniforms(1)[0]
        self.phase = round(float(phase), 6)  # no two beat in step
        self.lives, self.running, self.extra = 0, False, 0.0
        self.fetches = 0
        self._forget()

    def _forget(self) -> None:
        self.keys: tuple[int, ...] = ()
        self.held: deque[Taken] = deque()
        self.working: Taken | None = None
        self.unsaid: list[Taken] = []   # implicit acknowledgement: done, and to be accepted by the next poll
        self.fetching = self.renewing = False

    @property
    def id(self) -> tuple[int, int]:
        """The member id of the present life."""
        return self.node.code, self.lives

    @property
    def idle(self) -> bool:
        """Whether it has nothing in its hands."""
        return not self.running or self.working is None and not self.held and not self.unsaid

    # Life

    def start(self) -> None:
        """Begins a life with nothing; in the history each life is a process of its own."""
        if not self.running:
            self.running, self.stopping = True, False
            self.lives += 1
            name = self.node.name + (f"/{self.lives}" if self.lives > 1 else "")
            self.process = self.system.processes[self.id] = self.system.history.processes.code(name)
            self._note("start", self.node.fault)
            self._beat(self.lives, self.phase)

    def stop(self) -> None:
        """Closes after the record in hand."""
        if self.running:
            self.stopping = True
            if self.working is None:
                self._close()

    def _close(self) -> None:
        """Says what is still to be said; what it has not worked on goes back with the session."""
        self._say_unsaid()
        self._tell(self.system.leader.node, "share_close", self.system.leader.on_share_close, (self, self.id))
        self._tell(self.system.coordinator.node, "leave", self.system.coordinator.on_leave, (self, self.id))
        self._read(())
        self._note("stop")
        self._end()

    def _end(self) -> None:
        self.running = False
        self._forget()

    def _crashed(self, power_lost: bool) -> None:
        self._end()

    def _disconnected(self, peer) -> None:
        if self.running and self.fetching and peer is self.system.leader.node:
            self.node.after(RETRY_BACKOFF, self._fetch_again, self.lives, self.fetches)

    # The group

    def _beat(self, life: int, part: float = 1.0) -> None:
        if self.running and life == self.lives:
            coordinator = self.system.coordinator
            self._tell(coordinator.node, "heartbeat", coordinator.on_heartbeat, (self, self.id))
            self.node.after(part * self.config.heartbeat_interval, self._beat, life)

    def on_assignment(self, message: tuple[tuple[int, int], tuple[int, ...]], event: int) -> None:
        """The coordinator says which partitions to read; what is in hand from others stays in hand."""
        id, keys = message
        if self.running and id == self.id and keys != self.keys:
            self._read(keys, event)
            if self.idle:
                self._fetch()

    def _read(self, keys: tuple[int, ...], cause: int = -1) -> None:
        before, self.keys = self.keys, keys
        for kind, some, others in (("revoked", before, keys), ("assigned", keys, before)):
            for key in some:
                if key not in others:
                    self._note(kind, cause, key=key)

    # Polling

    def _fetch(self) -> None:
        """Asks for records, instead of whatever was asked before."""
        if self.running and self.keys:
            self.fetches += 1
            self.fetching = True
            message = (self, self.id, self.fetches, self.keys)
            self._tell(self.system.leader.node, "share_fetch", self.system.leader.on_share_fetch, message)
            self.node.after(REQUEST_TIMEOUT, self._fetch_again, self.lives, self.fetches)

    def _fetch_again(self, life: int, number: int) -> None:
        if self.fetching and (life, number) == (self.lives, self.fetches):
            self._fetch()

    def on_share_fetched(self, message: tuple[int, list], event: int) -> None:
        """Records arrive; an answer to an earlier question comes too late, and its locks will run out."""
        number, given = message
        if not (self.running and self.fetching and number == self.fetches):
            return
        self.fetching = False
        for key, offset, attempt, deadline, op in given:
            got = self._note("deliver", event, key=key, offset=offset, count=1, epoch=attempt, value=offset)
            self.system.history.delivered(op, self.process, key, offset, attempt, deadline, self.world.now, got)
            self.held.append(Taken(key, offset, got))
        if self.config.renew and given and not self.renewing:
            self.renewing = True
            self.node.after(self.config.record_lock_duration / 2, self._renew, self.lives)
        self._next()

    # Working

    def _next(self) -> None:
        if not self.held:
            self._say_unsaid()
            self._fetch()
            return
        taken = self.working = self.held.popleft()
        odd = self.system.records.odd(taken.key, taken.offset)
        if odd and odd.kind == "deadly":
            self.node.after(self._work(), self._die, taken)
            return
        stalled, self.extra = self.extra, 0.0
        self.stalled_until = self.world.now + stalled
        extra = odd.seconds if odd and odd.kind == "slow" else 0.0
        self.node.after(self._work() + extra + stalled, self._done, taken, odd is not None and odd.kind == "poison")

    def _done(self, taken: Taken, failed: bool) -> None:
        self.working = None
        done = self._note("failed" if failed else "done", taken.event, key=taken.key, offset=taken.offset, count=1)
        if self.config.explicit:
            self._say({taken.key: {taken.offset: self.config.on_failure if failed else "accept"}}, done)
        else:
            self.unsaid.append(taken)  # a failure that nobody reports is a success
        if self.stopping:
            self._close()
        else:
            self._next()

    def _die(self, taken: Taken) -> None:
        self._note("killed", taken.event, key=taken.key, offset=taken.offset, count=1)
        self.node.crash()
        self.world.after(self.config.restart_after, self.node.restart)

    # Acknowledging

    def _say_unsaid(self) -> None:
        outcomes: dict[int, dict[int, str]] = {}
        for taken in self.unsaid:
            outcomes.setdefault(taken.key, {})[taken.offset] = "accept"
        if outcomes:
            self._say(outcomes, self.unsaid[-1].event)
            self.unsaid = []

    def _say(self, outcomes: dict[int, dict[int, str]], cause: int) -> None:
        """Tells the leader; it does not ask again if the leader is gone, for then its locks are gone too."""
        leader, count = self.system.leader, sum(map(len, outcomes.values()))
        key, of = next(iter(outcomes.items()))
        offset, how = next(iter(of.items()))
        message, size = (self, self.id, outcomes), OVERHEAD + PER_ACKNOWLEDGEMENT * count
        event = self._tell(leader.node, "share_acknowledge", leader.on_share_acknowledge, message, cause, size,
                           key, offset, count, offset)
        if event >= 0:
            self.world.trace.notes[event] = how

    def _renew(self, life: int) -> None:
        """While it works, and does not hang, it renews all that it has (KIP-1222)."""
        if not self.running or life != self.lives:
            return
        self.renewing = self.working is not None
        if not self.renewing:
            return
        if self.world.now >= self.stalled_until:
            outcomes: dict[int, dict[int, str]] = {}
            for taken in (self.working, *self.held):
                outcomes.setdefault(taken.key, {})[taken.offset] = "renew"
            self._say(outcomes, self.working.event)
        self.node.after(self.config.record_lock_duration / 2, self._renew, life)

    # Evidence and messages

    def _tell(self, target, kind: str, handler: Callable, message, cause: int = -1, size: int = OVERHEAD, key: int = -1,
              offset: int = -1, count: int = 0, value: int = -1) -> int:
        link = self.world.network.link(self.node, target)
        return link.send(self.kinds[kind], handler, message, size, cause, key, offset, count, -1, value)

    def _note(self, kind: str, cause: int = -1, **columns) -> int:
        return self.world.trace.add(self.world.now, self.kinds[kind], self.node.code, cause=cause, **columns)
