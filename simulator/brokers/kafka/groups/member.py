"""A member under every protocol: it polls, works on what it got, polls again, and commits what is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....evidence.history import OK
from ....kernel.distributions import Fixed
from .coordinator import OVERHEAD, PER_PARTITION

if TYPE_CHECKING:
    from .system import GroupSystem

REQUEST_TIMEOUT = 30.0   # request.timeout.ms
RETRY_BACKOFF = 0.1      # retry.backoff.ms


class Request:
    """A request that is repeated until it is answered; only an answer to the latest attempt counts."""

    def __init__(self, member: Member, timeout: float = REQUEST_TIMEOUT):
        self.member, self.timeout, self.attempt, self.open = member, timeout, 0, None

    def send(self, kind: str, handler, *content, count: int = 0) -> None:
        """Asks the coordinator, instead of whatever was asked before."""
        self.open = (kind, handler, content, count)
        self.member.attempts += 1
        self.attempt = self.member.attempts  # never the number of an older question, not even of an earlier life
        self.member.tell(kind, handler, (self.member, self.attempt, *content), count)
        self.member.node.after(self.timeout, self._again, self.attempt)

    def answered(self, attempt: int) -> bool:
        """Whether this answers the open question, which is then closed."""
        if self.open is None or attempt != self.attempt:
            return False
        self.open = None
        return True

    def drop(self) -> None:
        """Nobody waits for an answer any more."""
        self.open = None

    def again(self) -> None:
        """Asks once more after a back-off."""
        self.member.node.after(RETRY_BACKOFF, self._again, self.attempt)

    def _again(self, attempt: int) -> None:
        if self.open is not None and attempt == self.attempt:
            kind, handler, content, count = self.open
            self.send(kind, handler, *content, count=count)


class Member:
    """One process of the application, with its consumer."""

    def __init__(self, system: GroupSystem, number: int):
        self.system, self.config, self.world, self.kinds = system, system.config, system.world, system.kinds
        zones = system.config.zones
        self.node = system.world.node(f"consumer-{number}", "consumer", zones[(number - 1) % len(zones)])
        self.node.on_start, self.node.on_crash, self.node.on_disconnect = self.start, self._crashed, self._disconnected
        work = system.workload.work
        self._work = None if work == Fixed(0.0) else self.world.sampler(f"work/consumer-{number}", work)
        self.identity, self.lives, self.attempts, self.running = 0, 0, 0, False
        self.turn, self.extra = 0, 0.0
        # no two beat in step
        self.phase = round(float(system.world.stream(f"heartbeat/consumer-{number}").uniforms(1)[0]), 6)
        self.owned: dict[int, None] = {}
        self.position: dict[int, int] = {}

    @property
    def id(self) -> tuple[int, int]:
        """The member id of the present membership."""
        return self.node.code, self.identity

    # Life

    def start(self) -> None:
        """Begins a life with nothing; in the history each life is a process of its own."""
        if self.running:
            return
        self.running, self.stopping, self.working, self.extra = True, False, False, 0.0
        self.lives += 1
        self.process = self.system.history.processes.code(self.node.name + (f"/{self.lives}" if self.lives > 1 else ""))
        self.owned, self.position = {}, {}
        self.membership, self.offsets = Request(self), Request(self)
        self.polled_at = self.committed_at = self.world.now
        self.note("start", self.node.fault)
        self.enter()
        self.beat(self.identity, self.phase)
        self.poll()

    def stop(self) -> None:
        """Closes after the work in hand."""
        if self.running:
            self.stopping = True
            self.wake()

    def _close(self) -> None:
        self.give_up(list(self.owned), "revoked")
        self.leave()
        self.note("stop")
        self._end()

    def _end(self) -> None:
        self.running = False
        self.membership.drop()
        self.offsets.drop()
        self.turn += 1
        self.identity += 1
        self.owned, self.position = {}, {}

    def _crashed(self, power_lost: bool) -> None:
        if self.running:
            self.system.history.crash(self.system.history.processes[self.process], self.world.now)
            self._end()

    def _disconnected(self, peer) -> None:
        if self.running:
            self.membership.again()
            self.offsets.again()

    def beat(self, identity: int, part: float = 1.0) -> None:
        """The background thread: heartbeats, as long as the application polls often enough."""
        if not self.running or identity != self.identity:
            return
        if self.world.now - self.polled_at <= self.config.max_poll_interval:
            self.heartbeat()
            self.node.after(part * self.config.heartbeat, self.beat, identity)
        else:
            self.note("poll_expired")
            self.expired()

    def again(self) -> None:
        """A new membership, after the group put this member out or it left."""
        self.give_up(list(self.owned), "left_behind")
        self.membership.drop()
        self.identity += 1
        self.enter()
        self.beat(self.identity, self.phase)
        self.wake()

    def too_late(self) -> None:
        """The application polls after the member has left: what it did since its last commit, others will do again."""
        if self.position:
            self.note("commit_failed", count=len(self.position))
        self.again()

    # The application's thread

    def wake(self) -> None:
        """There is something to do for the next poll; it comes at once unless the application works."""
        if not self.working:
            self.turn += 1
            self.node.after(0.0, self.poll, self.turn)

    def poll(self, turn: int | None = None) -> None:
        """One poll: follow the group, commit, take records; then work on them, or wait a little."""
        if not self.running or turn is not None and turn != self.turn:
            return
        self.working, self.polled_at = False, self.world.now
        if self.stopping:
            self._close()
            return
        self.follow()
        if self.world.now - self.committed_at >= self.config.auto_commit_interval:
            self.committed_at = self.world.now
            self.commit(self.position)
        work = self._take_records() + self.extra
        self.extra, self.working = 0.0, work > 0
        self.turn += 1
        self.node.after(work or self.config.poll_timeout, self.poll, self.turn)

    def _take_records(self) -> float:
        """Takes up to `max_poll_records`, who waited longest first; the seconds of work in them."""
        room = self.config.max_poll_records
        for key in list(self.position):
            offset = self.position[key]
            count = min(self.system.end(key) - offset, room)
            if count > 0:
                del self.position[key]
                self.position[key] = offset + count
                self._deliver(key, offset, count)
                room -= count
                if not room:
                    break
        taken = self.config.max_poll_records - room
        return sum(self._work() for _ in range(taken)) if self._work else 0.0

    def _deliver(self, key: int, offset: int, count: int) -> None:
        now, history = self.world.now, self.system.history
        event = self.note("deliver", -1, key=key, offset=offset, count=count, value=offset)
        history.polled(history.op(), self.process, key, offset, count, offset, OK, now, now, event)

    # Partitions and offsets

    def give_up(self, keys: list[int], kind: str) -> None:
        """Parts with partitions: in good order with a commit, or finding that they are gone."""
        if kind == "revoked":
            self.commit({key: self.position[key] for key in keys if key in self.position})
        for key in keys:
            del self.owned[key]
            self.position.pop(key, None)
            self.note(kind, -1, key=key, value=self.identity)
        if keys:
            self._announce()

    def take(self, keys: list[int]) -> None:
        """Owns partitions, and asks where to begin in them."""
        for key in keys:
            self.owned[key] = None
            self.note("assigned", -1, key=key, value=self.identity)
        if keys:
            self._announce()
            missing = tuple(key for key in self.owned if key not in self.position)
            self.offsets.send("offset_fetch", self.system.coordinator.on_offset_fetch, missing, count=len(missing))

    def _announce(self) -> None:
        history = self.system.history
        history.subscribe(history.processes[self.process], [history.keys[key] for key in self.owned], self.world.now)

    def on_offsets(self, message: tuple, event: int) -> None:
        """The coordinator says where to begin."""
        attempt, offsets = message
        if self.offsets.answered(attempt):
            self.position |= {key: offset for key, offset in offsets.items() if key in self.owned
                              and key not in self.position}

    def commit(self, offsets: dict[int, int]) -> None:
        """Commits what has been worked on."""
        if offsets:
            message = (self, self.id, self.epoch, dict(offsets))
            self.tell("commit", self.system.coordinator.on_commit, message, len(offsets))

    def tell(self, kind: str, handler, message, count: int = 0) -> None:
        """Sends something to the coordinator."""
        link = self.world.network.link(self.node, self.system.coordinator.node)
        link.send(self.kinds[kind], handler, message, OVERHEAD + PER_PARTITION * count, -1, -1, -1, count, self.epoch)

    def note(self, kind: str, cause: int = -1, **columns) -> int:
        """Writes into the trace what happened here."""
        return self.world.trace.add(self.world.now, self.kinds[kind], self.node.code, cause=cause, **columns)

    def on_commit_answer(self, message: tuple, event: int) -> None:
        """Who is refused as a stranger is out of the group; who is in another epoch by now, or will be, is not."""
        id, epoch, error = message
        if self.running and (id, epoch) == (self.id, self.epoch) and self.membership.open is None:
            self.refused(error)
