"""A small Kafka-like log in this process: partitions, offsets, a consumer group with committed offsets and generations.

A record is delivered from the committed offset on, so it comes again until somebody has committed past it. When a
partition changes hands its generation grows, and commits of the generation before are refused; nothing else tells a
consumer that it has been replaced. The payment gateway beside it is the world that no database transaction reaches.
"""
from typing import NamedTuple


class Event(NamedTuple):
    """Money for an account. `id` names the event itself; `number` counts the events of its account from 1."""
    id: str
    account: str
    number: int
    amount: int


class CommitFailed(Exception):
    """The partition belongs to another consumer by now: this commit was refused."""


class NoAnswer(Exception):
    """The gateway did not answer: it may or may not have charged."""


class KeyReused(Exception):
    """The gateway knows this key from a different charge."""


class Group:
    """What the broker knows about a consumer group of two."""

    def __init__(self, log, members: tuple[str, str]):
        self.log, self.members = log, members
        self.owner = {partition: members[partition % 2] for partition in range(len(log))}
        self.generation = dict.fromkeys(self.owner, 1)
        self.committed = dict.fromkeys(self.owner, 0)

    def owned(self, member: str) -> list[int]:
        """The partitions of a member."""
        return [partition for partition, owner in self.owner.items() if owner == member]

    def hand_over(self, member: str) -> str:
        """Rebalance: everything a member had belongs to the other one, whose name is returned."""
        other = next(name for name in self.members if name != member)
        for partition in self.owned(member):
            self.owner[partition] = other
            self.generation[partition] += 1
        return other

    def rewind(self, records: int) -> None:
        """Set the committed offsets back by some records, as an operator or an expired offset does."""
        for partition, log in enumerate(self.log):
            done = [offset for offset, _ in log if offset < self.committed[partition]]
            self.committed[partition] = min(done[-records:], default=0)

    def end(self, partition: int) -> int:
        """The offset behind the last record."""
        return self.log[partition][-1][0] + 1 if self.log[partition] else 0


class Record:
    """One delivery of one record: where it stands, and what it says."""

    def __init__(self, partition: int, offset: int, event: Event, group: Group, process):
        self.partition, self.offset, self.event = partition, offset, event
        self.group, self.process, self.generation = group, process, group.generation[partition]

    def commit(self) -> None:
        """Tell the broker that everything up to and including this record is done; may raise `CommitFailed`."""
        step = self.process.step(f"commit offset {self.offset + 1}")
        step.update(partition=self.partition, next=self.offset + 1, event=self.event.id)
        if self.generation != self.group.generation[self.partition]:
            step["error"] = f"partition {self.partition} belongs to another consumer now"
            raise CommitFailed(step["error"])
        self.group.committed[self.partition] = self.offset + 1


class Gateway:
    """The payment gateway: charges once for each key, and faults placed by a plan: "request lost" or "answer lost"."""

    def __init__(self, clock, losses=()):
        self.clock, self.losses = clock, dict(losses)
        self.known: dict[str, tuple[str, int]] = {}
        self.charges: list[tuple[str, str, int]] = []  # the event that was handled, the account and amount charged
        self.requests = 0


class Line:
    """One process's connection to the gateway, while it handles one event."""

    def __init__(self, gateway: Gateway, event: Event, process):
        self.gateway, self.event, self.process = gateway, event, process

    def charge(self, key: str, account: str, amount: int) -> None:
        """Charge an account, once for each key; may raise `NoAnswer` (nobody knows) or `KeyReused`."""
        if not (isinstance(key, str) and isinstance(account, str) and type(amount) is int):
            raise TypeError(f"charge takes a key and an account (strings) and an amount, not {key, account, amount!r}")
        self.process.step(f"charge {self.event.id}")
        world = self.gateway
        world.requests += 1
        fault = world.losses.get(world.requests)
        if fault:
            world.clock.fault(self.process.name, fault, event=self.event)
        if fault != "request lost":
            self.book(key, account, amount)
        self.process.step(f"answer {self.event.id}")
        if fault:
            raise NoAnswer(f"no answer to the charge for {self.event.id}")

    def book(self, key: str, account: str, amount: int) -> None:
        """Money moves here, unless the key is known."""
        known = self.gateway.known
        if key not in known:
            known[key] = account, amount
            self.gateway.charges.append((self.event.id, account, amount))
        elif known[key] != (account, amount):
            raise KeyReused(f"key {key!r} was used for another charge: {known[key]}")
