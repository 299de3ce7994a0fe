"""An event store: writers load a stream, fold it, decide, and append, if the stream is still as they saw it.

Modelled: one stream per account; a snapshot every `snapshot_every` events; a fold that takes time for each event since;
appends with the version the writer saw, refused if the stream has moved on, and tried again from the beginning; or
without (`expected_version=False`), which lets two writers decide on the same past.

A command withdraws one unit, if the balance allows it. Deposits happen before the run: every account begins with
`deposit`. In the history a command that was accepted is a send that is `ok`, a command declined one that failed.

Left out: lost answers and their idempotent repetition, which the exercise has; snapshots that go stale.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..evidence.history import FAIL
from ..kernel.distributions import check
from ..kernel.network import NetworkProfile
from .parts import HEADERS, System, changes, one_of, seconds, whole

if TYPE_CHECKING:
    from ..kernel.world import World
    from ..workload import Workload

SENTENCES = {
    "load": ("send", "{node} asks {peer} for the account, to withdraw (command {value})"),
    "loaded": ("send", "{node} hands {peer} the account at version {offset}"),
    "decide": ("local",
               "{node} finds a balance of {count} at version {offset} and decides to withdraw (command {value})"),
    "declined": ("local", "{node} declines command {value}: the balance is {count}"),
    "append": ("send", "{node} appends the withdrawal of command {value}, decided at version {offset}"),
    "stored": ("local", "{node} stores command {value} as version {offset}"),
    "conflict": ("state", "{node} refuses command {value}: the stream is at version {offset} by now"),
    "overdrawn": ("state", "{node} stores command {value}, and the account is overdrawn: balance {note}"),
    "answered": ("send", "{node} answers {peer} about command {value}"),
}


@dataclass(frozen=True)
class EventStore:
    """Accounts in an event store, and the writers that withdraw from them.

    expected_version: whether an append names the version it was decided on.
    writers: processes that take commands in turn.
    accounts: streams, chosen evenly. deposit: what each account begins with.
    fold: seconds to apply one event. snapshot_every: events from snapshot to snapshot, 0 for none.
    """
    expected_version: bool = True
    writers: int = 2
    accounts: int = 1
    deposit: int = 1_000_000
    fold: float = 0.00001
    snapshot_every: int = 0
    network: NetworkProfile = field(default_factory=NetworkProfile)

    def __post_init__(self):
        one_of(self, "expected_version", True, False)
        for name, least in (("writers", 1), ("accounts", 1), ("deposit", 0), ("snapshot_every", 0)):
            whole(self, name, least)
        seconds(self, "fold")
        check("network", self.network, isinstance(self.network, NetworkProfile), "a NetworkProfile")

    def build(self, world: World, workload: Workload) -> EventStoreSystem:
        """The running system in this world."""
        return EventStoreSystem(self, world, workload)

    def __str__(self) -> str:
        return f"EventStore({changes(self)})"


class EventStoreSystem(System):
    """Writers and the store of one run; `streams[account]` lists the commands accepted, by version."""

    def __init__(self, config: EventStore, world: World, workload: Workload):
        names = tuple(f"account-{number + 1}" for number in range(config.accounts))
        super().__init__(config, world, workload, SENTENCES, names)
        self.store = world.node("store", "database")
        self.writers = [world.node(f"writer-{number + 1}", "producer") for number in range(config.writers)]
        self.streams: dict[str, list[int]] = {name: [] for name in names}
        chosen = world.stream("accounts").uniforms(len(self.times)) * config.accounts
        self.account = chosen.astype(int).tolist()

    def name(self, value: int) -> str:
        """The account that a command is about."""
        return f"account-{self.account[value] + 1}"

    def _writer(self, value: int):
        return self.writers[value % len(self.writers)]

    def begin(self, value: int) -> None:
        """A writer takes the next command."""
        writer = self._writer(value)
        if writer.up:
            self.began(value, self._load(value, -1))

    def _load(self, value: int, cause: int) -> int:
        writer = self._writer(value)
        return self.send(writer, self.store, "load", self._on_load, value, cause, value, key=self.name(value))

    def _on_load(self, value: int, event: int) -> None:
        """Hands out the snapshot and the events since."""
        version, every = len(self.streams[self.name(value)]), self.config.snapshot_every
        events = version % every if every else version
        self.world.meters.counts["events loaded"] += events
        self.world.meters.counts["loads"] += 1
        writer = self._writer(value)
        self._say(self.store, writer, "loaded", self._on_loaded, (value, version, events), event, value, version)

    def _on_loaded(self, message: tuple, event: int) -> None:
        value, version, events = message
        writer = self._writer(value)
        writer.after(events * self.config.fold, self._decide, writer, value, version, event)

    def _decide(self, writer, value: int, version: int, cause: int) -> None:
        """Applies the rule to what was loaded: nobody withdraws what is not there."""
        key, balance = self.name(value), self.config.deposit - version
        if balance < 1:
            self.note(writer, "declined", cause, value, key, version, balance)
            self._over(value, FAIL, "declined")
        else:
            decided = self.note(writer, "decide", cause, value, key, version, balance)
            self._say(writer, self.store, "append", self._on_append, (value, version), decided, value, version)

    def _on_append(self, message: tuple, event: int) -> None:
        """Stores the event, if the stream is as the writer saw it, or if nobody asks."""
        value, expected = message
        key, stream = self.name(value), self.streams[self.name(value)]
        if self.config.expected_version and expected != len(stream):
            self.world.meters.counts["conflicts"] += 1
            refused = self.note(self.store, "conflict", event, value, key, len(stream))
            self._load_again(value, refused)
            return
        stream.append(value)
        self.note(self.store, "stored", event, value, key, len(stream))
        if len(stream) > self.config.deposit:
            self.world.meters.counts["overdrawn"] += 1
            below = str(self.config.deposit - len(stream))
            self.note(self.store, "overdrawn", event, value, key, len(stream), text=below)
        self._over(value)

    def _load_again(self, value: int, cause: int) -> None:
        writer = self._writer(value)
        self.send(self.store, writer, "answered", self._load, value, cause, value, key=self.name(value), size=HEADERS)

    def _say(self, source, target, kind: str, handler, message: tuple, cause: int, value: int, version: int) -> None:
        link = self.world.network.link(source, target)
        link.send(self.kinds[kind], handler, message, self.size, cause, self.keys[self.name(value)], version, 1, -1,
                  value)

    def _over(self, value: int, type: int = 0, error: str = "") -> None:
        op, invoked, event = self.begun.pop(value)
        history = self.history
        process = history.processes.code(self._writer(value).name)
        history.sent(op, process, self.account[value], value, 1, -1, type, history.errors.code(error), invoked,
                     self.world.now, event)

    def quiet(self) -> bool:
        """Whether every command was accepted or declined."""
        return self.made == len(self.times) and not self.begun

    def finish(self) -> None:
        """Closes the books: the final reader reads every stream."""
        for value in list(self.begun):
            self._over(value, FAIL, "never decided")
        self.close(self.streams)
