"""A broker that stores events in order, confirms them unless a plan forbids it, and refuses outdated tokens."""
from .table import Row


class NotConfirmed(Exception):
    """No confirmation arrived: the broker may or may not have stored the event."""


class Fenced(Exception):
    """The broker has seen a newer token for this aggregate: somebody else has taken over."""


class Broker:
    """Everything the broker knows: what it stored, as (name, row id), and the newest token of each aggregate."""

    def __init__(self, clock, losses=()):
        self.clock, self.losses, self.publishes = clock, dict(losses), 0
        self.stored: list[tuple[str, str]] = []
        self.tokens: dict[str, int] = {}

    def accept(self, name: str, row: Row, token: int | None, process) -> bool:
        """Store an event unless a fault or a newer token prevents it; whether a confirmation will come."""
        step = process.step(f"publish {name}" + (f" with token {token}" if token is not None else ""))
        if token is not None and token < self.tokens.get(row.aggregate, 0):
            step["error"] = f"the broker has seen token {self.tokens[row.aggregate]}"
            raise Fenced(step["error"])
        if token is not None:
            self.tokens[row.aggregate] = token
        self.publishes += 1
        fault = self.losses.get(self.publishes)
        if fault != "event lost":
            self.stored.append((name, row.id))
            step["publishes"] = row.id
        if fault:
            self.clock.fault(process.name, fault, event=row.id)
        return fault is None


class Receipt:
    """The broker's promise to tell; `wait()` returns once the event is safely stored."""

    def __init__(self, name: str, confirmed: bool, process):
        self.name, self.confirmed, self.process = name, confirmed, process

    def wait(self) -> None:
        """Returns when the event is stored; raises `NotConfirmed` if nobody knows."""
        self.process.breathe()
        if not self.confirmed:
            raise NotConfirmed(f"no confirmation for {self.name}")


class Link:
    """A process's connection to the broker."""

    def __init__(self, broker: Broker, process):
        self.broker, self.process = broker, process

    def publish(self, name: str, row: Row, token: int | None = None) -> Receipt:
        """Send a row as an event with this name; raises `Fenced` if its aggregate has seen a newer token."""
        if not isinstance(name, str) or not isinstance(row, Row) or type(token) not in (int, type(None)):
            raise TypeError(f"publish takes a name, a row and perhaps a token, not {name!r}, {row!r}, {token!r}")
        return Receipt(name, self.broker.accept(name, row, token, self.process), self.process)
