"""The account of the exercise `event_sourcing`, written with the library `eventsourcing` (9.5, on psycopg 3).

An aggregate has events, each a class that says how it changes the aggregate; an application saves aggregates and gets
them back. The versions of an aggregate begin with 1 here, and an event says its own version of its class instead of one
schema for all: `upcast_v1_v2` takes the state of an event of class version 1 to that of version 2, while it is read.
"""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.utils import get_topic

from exercises.event_sourcing.history import SCHEMA, Stored, cents_of

State = dict[str, Any]
DATA = ("owner", "cents", "channel", "rate")  # what an event of the exercise may say


class Old:
    """What deposits and withdrawals of older programs need."""

    class_version = SCHEMA

    @staticmethod
    def upcast_v1_v2(state: State) -> None:
        """Amounts were strings."""
        state["cents"] = cents_of(state.pop("amount"))

    @staticmethod
    def upcast_v2_v3(state: State) -> None:
        """Nobody wrote down where the money came from."""
        state["channel"] = "unknown"


class Account(Aggregate):
    """An account that knows the commands it has carried out."""

    class Opened(Aggregate.Created):
        owner: str
        class_version = SCHEMA

        @staticmethod
        def upcast_v1_v2(state: State) -> None:
            """An owner was a name."""
            state["owner"] = state.pop("name")

        @staticmethod
        def upcast_v2_v3(state: State) -> None:
            """Nothing has changed."""

    class Deposited(Old, Aggregate.Event):
        cents: int
        channel: str

        def apply(self, account: Account) -> None:
            account.balance += self.cents

    class Withdrawn(Old, Aggregate.Event):
        cents: int
        channel: str
        command: str = ""

        def apply(self, account: Account) -> None:
            account.balance -= self.cents
            account.withdrawals += 1
            account.commands.append(vars(self).get("command", ""))

    class Renamed(Aggregate.Event):
        owner: str

        def apply(self, account: Account) -> None:
            account.owner = self.owner

    class Interest(Aggregate.Event):
        rate: str
        cents: int

        def apply(self, account: Account) -> None:
            account.balance += self.cents

    def __init__(self, owner: str):
        self.owner, self.balance, self.withdrawals, self.commands = owner, 0, 0, []

    @classmethod
    def open(cls, stream: str, owner: str) -> Account:
        """A new account, under an id made of its stream's name."""
        return cls._create(cls.Opened, id=id_of(stream), owner=owner)

    def deposit(self, cents: int) -> None:
        """Money comes in."""
        self.trigger_event(self.Deposited, cents=cents, channel="app")

    def withdraw(self, command: str, cents: int) -> None:
        """Money goes out; whether there is enough was asked before."""
        self.trigger_event(self.Withdrawn, cents=cents, channel="app", command=command)

    @property
    def state(self) -> State:
        """The account as the exercise describes it."""
        return {"owner": self.owner, "balance": self.balance, "withdrawals": self.withdrawals}


class Bank(Application[UUID]):
    """Accounts in PostgreSQL; a snapshot of each after every 20 events."""

    snapshotting_intervals = {Account: 20}

    def open(self, stream: str, owner: str) -> None:
        """A new account."""
        self.save(Account.open(stream, owner))

    def deposit(self, stream: str, cents: int) -> None:
        """Money comes in, whoever else writes meanwhile."""
        while True:
            account = self.repository.get(id_of(stream))
            account.deposit(cents)
            try:
                self.save(account)
                return
            except IntegrityError:
                continue

    def withdraw(self, command: str, stream: str, cents: int, remember: bool = True) -> bool:
        """Whether the money was withdrawn: never more than there is and, if commands are remembered, once for each."""
        while True:
            account = self.repository.get(id_of(stream))
            if remember and command in account.commands:
                return True
            if account.balance < cents:
                return False
            account.withdraw(command, cents)
            try:
                self.save(account)
                return True
            except IntegrityError:  # somebody else wrote this version: decide again, on the new state
                continue

    def load(self, stream: str) -> tuple[int, State | None]:
        """The version of a stream, counted as in the exercise, and its state."""
        try:
            account = self.repository.get(id_of(stream))
        except AggregateNotFoundError:
            return 0, None
        return account.version, account.state


def id_of(stream: str) -> UUID:
    """The id of a stream's aggregate."""
    return uuid5(NAMESPACE_URL, f"/accounts/{stream}")


def connected(database, **more: str) -> dict[str, str]:
    """The environment that tells the library where the database is."""
    return {"PERSISTENCE_MODULE": "eventsourcing.postgres", "POSTGRES_DBNAME": "postgres", "POSTGRES_HOST": "127.0.0.1",
            "POSTGRES_PORT": str(database.port), "POSTGRES_USER": "postgres", "POSTGRES_PASSWORD": "trusted anyway",
            "POSTGRES_POOL_SIZE": "10", **more}


def plant(bank: Bank, history: tuple[Stored, ...]) -> None:
    """Puts events into the library's table as programs of other days wrote them."""
    bank.recorder.insert_events([_stored(bank, event) for event in history])


def _stored(bank: Bank, event: Stored) -> StoredEvent:
    kind = getattr(Account, event.type.capitalize())
    state = {"timestamp": Aggregate.Event.create_timestamp(), **event.data}
    if event.type == "opened":
        state["originator_topic"] = get_topic(Account)
    if hasattr(kind, "class_version") and event.schema > 1:
        state["class_version"] = event.schema
    content = bank.mapper.transcoder.encode(state)
    return StoredEvent(id_of(event.stream), event.version + 1, get_topic(kind), content)


def plant_old_snapshot(bank: Bank, stream: str) -> None:
    """Leaves the snapshot of a program whose accounts did not count withdrawals."""
    snapshot = Account.Snapshot.take(bank.repository.get(id_of(stream)))
    del snapshot.state["withdrawals"]
    bank.snapshots.put([snapshot])


def rows(bank: Bank, streams: dict[UUID, str]) -> list[list]:
    """Everything in the library's store as rows of the exercise's: stream, version, id, type, schema, data."""
    found = []
    for notification in bank.recorder.select_notifications(start=1, limit=100_000):
        event = bank.mapper.to_domain_event(notification)
        stream, version = streams[notification.originator_id], notification.originator_version - 1
        data = {name: value for name, value in vars(event).items() if name in DATA}
        event_id = vars(event).get("command") or f"{stream}-{version}"
        found.append([stream, version, event_id, type(event).__name__.lower(), SCHEMA, data])
    return sorted(found, key=lambda row: row[:2])
