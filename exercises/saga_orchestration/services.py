"""The services a saga talks to: a store, a bank, a carrier and a mailer, each behind a line that may fail.

Every request carries a key. The same key twice is one effect, and gets the same definite answer twice. To undo is to
name the key of what shall be undone: if that was done, it is taken back, and if it was not, it never will be.
"""
from typing import NamedTuple

FORWARD = ("reserve", "charge", "ship", "mail")
UNDO = {"release": "reserve", "refund": "charge"}
LATE_BY = 2  # requests that overtake a late one


class Rejected(Exception):
    """No, for good: nothing was done, and nothing will be done under this key."""


class Busy(Exception):
    """Not now: nothing was done, ask again later."""


class NoAnswer(Exception):
    """Nobody knows: the request may have been lost, or late, or only its answer."""


class Order(NamedTuple):
    """An order: its id, its customer, and what it costs."""
    id: str
    customer: str
    amount: int


class World:
    """All services of one run: what they did, what they refused, and which request meets which fault."""

    def __init__(self, clock, faults, rejects, silent):
        self.clock, self.faults = clock, {(name, number): kind for name, number, kind in faults}
        self.rejects, self.silent = set(rejects), dict(((order, name), kind) for order, name, kind in silent)
        self.done: dict[tuple[str, str], str] = {}  # (service, key) -> order, for what is in effect
        self.undone: set[tuple[str, str]] = set()
        self.effects: list[tuple[str, str]] = []    # (service, order), in the order in which they took place
        self.requests, self.waiting = dict.fromkeys((*FORWARD, *UNDO), 0), []

    def do(self, name: str, key: str, order: str) -> None:
        """One request takes effect, unless it did before; raises `Rejected` if it must not."""
        if name in UNDO:
            return self.undo(name, UNDO[name], key, order)
        if (name, key) in self.undone:
            raise Rejected(f"{name}: {key} was undone before")
        if (order, name) in self.rejects:
            raise Rejected(f"{name}: not for order {order}")
        if (name, key) not in self.done:
            self.done[name, key] = order
            self.effects.append((name, order))

    def undo(self, name: str, what: str, key: str, order: str) -> None:
        if (what, key) in self.done and (what, key) not in self.undone:
            self.effects.append((name, order))
        self.undone.add((what, key))

    def arrive(self, everything: bool = False) -> None:
        """Late requests arrive, a few requests later or once all is quiet."""
        for request in list(self.waiting):
            request[0] -= 1
            if everything or request[0] < 0:
                self.waiting.remove(request)
                self.clock.note("the network", f"late request arrives: {request[1]} {request[3]}")
                try:
                    self.do(*request[1:])
                except Rejected:
                    self.clock.note("the network", f"and is refused: {request[1]} {request[3]}")


class Line:
    """One process's lines to all services."""

    def __init__(self, world: World, process):
        self.world, self.process = world, process

    def reserve(self, key: str, order: str) -> None:
        """Set the goods of an order aside. May be rejected: there are none."""
        self.ask("reserve", key, order)

    def release(self, key: str, order: str) -> None:
        """Undo the reservation made under this key, or forbid it."""
        self.ask("release", key, order)

    def charge(self, key: str, order: str) -> None:
        """Charge the order's amount to the customer's card. May be rejected."""
        self.ask("charge", key, order)

    def refund(self, key: str, order: str) -> None:
        """Undo the charge made under this key, or forbid it."""
        self.ask("refund", key, order)

    def ship(self, key: str, order: str) -> None:
        """Hand the goods to the carrier: nobody can undo that. May be rejected."""
        self.ask("ship", key, order)

    def mail(self, key: str, order: str) -> None:
        """Send the receipt. It is never rejected, but it may take several tries."""
        self.ask("mail", key, order)

    def ask(self, name: str, key: str, order: str) -> None:
        """Send one request and wait for its answer: two steps, at each of which the process may die."""
        if not (isinstance(key, str) and isinstance(order, str)):
            raise TypeError(f"{name} takes a key and an order's id (strings), not {key!r}, {order!r}")
        self.process.step(f"{name} {order}")
        world = self.world
        world.arrive()
        world.requests[name] += 1
        fault = world.silent.get((order, name)) or world.faults.get((name, world.requests[name]))
        if fault:
            world.clock.fault(self.process.name, fault, service=name, order=order)
        answer = self.reach(name, key, order, fault)
        self.process.step(f"answer of {name} {order}")
        if answer:
            raise answer

    def reach(self, name: str, key: str, order: str, fault: str | None) -> Exception | None:
        """What the caller will be told, after the service was or was not reached."""
        if fault == "busy":
            return Busy(f"{name} is busy")
        if fault == "late":
            self.world.waiting.append([LATE_BY, name, key, order])
        try:
            if fault in (None, "answer lost"):
                self.world.do(name, key, order)
        except Rejected as no:
            return no if fault is None else NoAnswer(f"no answer to {name} {order}")
        return NoAnswer(f"no answer to {name} {order}") if fault else None
