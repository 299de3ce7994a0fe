"""The transactional outbox: a row beside each order, in its transaction, and a relay that publishes the rows.

Modelled: a relay that polls every `interval`, publishes what it finds, waits for the broker's word and marks the rows
in one statement; or one that reads the database's log (change data capture), gets every commit in order and confirms
its position every `interval`. A relay that crashes forgets what it was doing; what it marked is in the database. Wrong
variants are switches: marking before publishing, and a cursor on row numbers.

Simplified: polls fall on multiples of the interval (a full batch asks again at once), a query takes `query` seconds,
whatever it finds. One relay.

Left out: poison rows, cleaning up, several relays; the exercises have them. The disk that a log fills while nobody
reads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import floor
from typing import TYPE_CHECKING

from ..kernel.distributions import Distribution, as_distribution, check
from ..kernel.network import NetworkProfile
from .database import STORING, Database
from .parts import HEADERS, PUBLISHING, Broker, System, changes, one_of, positive, probability, seconds, whole

if TYPE_CHECKING:
    from ..kernel.world import World
    from ..workload import Workload

SENTENCES = PUBLISHING | STORING | {
    "order": ("local", "{node} takes order {value}"),
    "poll": ("send", "{node} asks {peer} for rows to publish"),
    "rows": ("send", "{node} hands {count} rows to {peer}, the first of them order {value}"),
    "mark": ("send", "{node} tells {peer} that {count} rows are published, the first of them order {value}"),
    "marked": ("send", "{node} has marked the rows, and tells {peer}"),
    "stream": ("send", "{node} asks {peer} for its log, from the confirmed position on"),
    "change": ("send", "{node} passes the commit of order {value} on to {peer}"),
    "confirm": ("send", "{node} confirms to {peer} the log up to order {value}"),
    "passed": ("state", "the cursor stands at row {offset} from now on: that of order {value}"),
    "overtaken": ("local", "{node} commits order {value} with row {offset}, which the cursor has passed already"),
}


@dataclass(frozen=True)
class Outbox:
    """A service that writes order and outbox row in one transaction, and the relay that publishes the rows.

    relay: "polling", or "cdc" (the database's log, as Debezium reads it).
    interval: seconds from poll to poll; for cdc, from confirmation to confirmation. batch: rows a poll may bring.
    query: seconds of one query. mark: "after" publishing, or "before" it, which loses.
    cursor: "flag" (rows not marked) or "position" (row numbers above the last one seen), which loses.
    transaction: seconds from insert to commit, a number or a distribution. rollback: share of transactions that fail.
    """
    relay: str = "polling"
    interval: float = 0.5
    batch: int = 100
    query: float = 0.001
    mark: str = "after"
    cursor: str = "flag"
    transaction: float | Distribution = 0.001
    rollback: float = 0.0
    network: NetworkProfile = field(default_factory=NetworkProfile)

    def __post_init__(self):
        one_of(self, "relay", "polling", "cdc")
        positive(self, "interval")
        whole(self, "batch", 1)
        seconds(self, "query")
        one_of(self, "mark", "after", "before")
        one_of(self, "cursor", "flag", "position")
        as_distribution("transaction", self.transaction)
        probability(self, "rollback")
        check("network", self.network, isinstance(self.network, NetworkProfile), "a NetworkProfile")

    def build(self, world: World, workload: Workload) -> OutboxSystem:
        """The running system in this world."""
        return OutboxSystem(self, world, workload)

    def __str__(self) -> str:
        return f"Outbox({changes(self)})"


class Polling:
    """The relay that asks for rows, publishes them and marks them."""

    def __init__(self, system: OutboxSystem):
        self.system, self.config, self.world = system, system.config, system.world
        self.node = self.world.node("relay-1", "worker")
        self.node.on_start, self.node.on_disconnect = self.start, self._broker_gone
        self.unconfirmed: dict[int, int] = {}  # order: row, published and not confirmed
        self.batch: list[tuple[int, int]] = []
        self.start()

    def start(self) -> None:
        """Begins with nothing in hand, at the next tick."""
        self.unconfirmed, self.batch = {}, []
        self._sleep()

    def _sleep(self) -> None:
        ticks = floor(self.world.now / self.config.interval + 1e-9) + 1
        self.node.after(ticks * self.config.interval - self.world.now, self._poll)

    def _poll(self) -> None:
        self.system.send(self.node, self.system.database.node, "poll", self.system.on_poll, self, size=HEADERS)

    def on_rows(self, rows: list, event: int) -> None:
        """Publishes what the poll found, or sleeps."""
        self.batch = rows
        if not rows:
            self._sleep()
        elif self.config.mark == "before":
            self._mark(event)
        else:
            self._publish(event)

    def _publish(self, cause: int) -> None:
        self.unconfirmed = {value: row for row, value in self.batch}
        for _, value in self.batch:
            self.system.publish(self, value, cause)

    def on_published(self, value: int, event: int) -> None:
        """The broker has one row more; after the last one they are marked."""
        if self.unconfirmed.pop(value, None) is not None and not self.unconfirmed:
            if self.config.mark == "before":
                self._next()
            else:
                self._mark(event)

    def _mark(self, cause: int) -> None:
        system, rows = self.system, self.batch
        system.send(self.node, system.database.node, "mark", system.on_mark, (rows, self), cause, rows[0][1], len(rows),
                    size=HEADERS)

    def on_marked(self, rows: list, event: int) -> None:
        """The rows will not come again."""
        if self.config.mark == "before":
            self._publish(event)
        else:
            self._next()

    def _next(self) -> None:
        if len(self.batch) == self.config.batch:
            self._poll()
        else:
            self._sleep()

    def _broker_gone(self, peer) -> None:
        """Without the broker's word nothing is marked: the same rows come again at the next tick."""
        if self.unconfirmed:
            self.start()


class Streaming:
    """The relay that reads the database's log: every commit, in order; after a crash from the confirmed position on."""

    def __init__(self, system: OutboxSystem):
        self.system, self.config, self.world = system, system.config, system.world
        self.node = self.world.node("relay-1", "worker")
        self.node.on_start, self.node.on_disconnect = self.start, self._broker_gone
        self.start()

    def start(self) -> None:
        """Asks for the log, and confirms what the broker has from time to time."""
        self.unconfirmed: dict[int, int] = {}
        self.done: list[tuple[int, int]] = []
        self.system.send(self.node, self.system.database.node, "stream", self.system.on_stream, self, size=HEADERS)
        self.node.after(self.config.interval, self._confirm, self.node.incarnation)

    def on_change(self, change: tuple[int, int], event: int) -> None:
        """A commit arrives and is published at once."""
        row, value = change
        self.unconfirmed[value] = row
        self.system.publish(self, value, event)

    def on_published(self, value: int, event: int) -> None:
        """The broker has one more."""
        if value in self.unconfirmed:
            self.done.append((self.unconfirmed.pop(value), value))

    def _confirm(self, life: int) -> None:
        system, rows = self.system, self.done
        if rows:
            self.done = []
            system.send(self.node, system.database.node, "confirm", system.on_mark, (rows, None), -1, rows[-1][1],
                        len(rows), size=HEADERS)
        self.node.after(self.config.interval, self._confirm, life)

    def _broker_gone(self, peer) -> None:
        """What the broker may not have is published again, in order, a moment later."""
        again, self.unconfirmed = self.unconfirmed, {}
        for value, row in again.items():
            self.node.after(self.config.interval, self.on_change, (row, value), peer.fault)


class OutboxSystem(System):
    """Service, database, relay and broker of one run."""

    def __init__(self, config: Outbox, world: World, workload: Workload):
        super().__init__(config, world, workload, SENTENCES)
        self.node = world.node("service-1", "producer")
        self.database = Database(self, config.transaction, config.rollback)
        self.broker = Broker(self)
        self.database.on_commit = self._on_commit
        self.cursor = -1  # the highest row that was marked, where the cursor is a position
        self.reader: Streaming | None = None
        self.relay = Polling(self) if config.relay == "polling" else Streaming(self)

    # The service

    def begin(self, value: int) -> None:
        """Stores an order and its outbox row in one transaction; the service has no more to do."""
        if self.node.up:
            event = self.note(self.node, "order", -1, value)
            self.began(value, event)
            message = (value, self.node, lambda value, event: None)
            self.send(self.node, self.database.node, "insert", self.database.on_insert, message, event, value)

    # The outbox in the database

    def _on_commit(self, row: int, value: int, event: int) -> None:
        if self.config.cursor == "position" and row <= self.cursor:
            self.note(self.database.node, "overtaken", event, value, offset=row)
            self.database.rows.remove((row, value))
        if self.reader:
            self._pass_on(row, value, event)
        self._count()

    def _pass_on(self, row: int, value: int, event: int) -> None:
        self.send(self.database.node, self.relay.node, "change", self.relay.on_change, (row, value), event, value)

    def on_stream(self, relay: Streaming, event: int) -> None:
        """A relay reads the log: first what nobody has confirmed."""
        self.reader = relay
        for row, value in self.database.rows:
            self._pass_on(row, value, event)

    def on_poll(self, relay: Polling, event: int) -> None:
        """Looks for rows to publish: those that are committed when the query begins."""
        self.world.meters.counts["queries"] += 1
        self.database.node.after(self.config.query, self._answer, relay, self.database.rows[:self.config.batch], event)

    def _answer(self, relay: Polling, rows: list, cause: int) -> None:
        first = rows[0][1] if rows else -1
        self.send(self.database.node, relay.node, "rows", relay.on_rows, rows, cause, first, len(rows),
                  size=HEADERS + len(rows) * self.size)

    def on_mark(self, message: tuple, event: int) -> None:
        """Rows are done with: in one statement for a poller, as a position in the log for a reader of it."""
        rows, relay = message
        if relay is None:
            self._done(rows)
        else:
            self.world.meters.counts["queries"] += 1
            self.database.node.after(self.config.query, self._marked, rows, relay, event)

    def _marked(self, rows: list, relay: Polling, cause: int) -> None:
        self._done(rows)
        self.send(self.database.node, relay.node, "marked", relay.on_marked, rows, cause, rows[0][1], len(rows),
                  size=HEADERS)

    def _done(self, rows: list) -> None:
        self.cursor = max(self.cursor, rows[-1][0])
        gone = {row for row, _ in rows}
        passed = self.cursor if self.config.cursor == "position" else -1
        if passed >= 0:
            self.note(self.database.node, "passed", -1, rows[-1][1], offset=passed)
        for row, value in self.database.rows:
            if row not in gone and row <= passed:
                self.note(self.database.node, "overtaken", -1, value, offset=row)
        self.database.rows = [(row, value) for row, value in self.database.rows if row not in gone and row > passed]
        self._count()

    def _count(self) -> None:
        self.world.meters.level("rows waiting", self.world.now, len(self.database.rows))

    # Publishing

    def publish(self, relay, value: int, cause: int) -> None:
        """A row goes to the broker."""
        message = (value, relay.node, relay.on_published)
        self.send(relay.node, self.broker.node, "publish", self.broker.on_publish, message, cause, value)

    # The end of a run

    def quiet(self) -> bool:
        """Whether every order is stored and every row published and marked."""
        at_rest = not self.database.open and not self.database.rows and not self.relay.unconfirmed
        return self.made == len(self.times) and at_rest and self.relay.node.up

    def finish(self) -> None:
        """Closes the books."""
        self.close({"orders": self.broker.topic})
