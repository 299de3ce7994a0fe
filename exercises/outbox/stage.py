"""The stage on which an outbox program performs: a shop's database, a broker, a customer-care database, and a plan.

`perform(plan, functions)` plays one run and returns what could be seen of it: every step, and what the two databases
and the broker hold once everything is quiet again. Functions that are not given are not needed: without `place_order`
the orders and their outbox rows are there from the start, without `relay_once` the broker holds the events already.
"""
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from exercises.attack import Clock, Process
from exercises.attack.runs import Evidence, plain
from exercises.attack.sqlite import made, rows
from exercises.attack.steps import played

from .broker import Broker, Delivery, Event, Link

SHOP = """
CREATE TABLE orders (id TEXT PRIMARY KEY, customer TEXT NOT NULL, amount INTEGER NOT NULL CHECK (amount > 0));
CREATE TABLE outbox (position INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL UNIQUE, order_id TEXT NOT NULL,
                     customer TEXT NOT NULL, amount INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'waiting');
"""
CARE = """
CREATE TABLE spent (customer TEXT PRIMARY KEY, total INTEGER NOT NULL);
CREATE TABLE inbox (event_id TEXT PRIMARY KEY);
"""


class Order(NamedTuple):
    """What a customer asked for. The database refuses an amount that is not positive."""
    id: str
    customer: str
    amount: int


@dataclass(frozen=True)
class Plan:
    """One attack: the orders, and where the faults strike.

    `crashes` are step numbers; `publishes` pairs the number of a publish with "event lost" or "confirmation lost";
    `refused` are orders whose event the broker never takes; `lost_acks` are numbers of acknowledgements.
    """
    orders: tuple[Order, ...]
    crashes: tuple[int, ...] = ()
    publishes: tuple[tuple[int, str], ...] = ()
    refused: tuple[str, ...] = ()
    lost_acks: tuple[int, ...] = ()

    def faults(self) -> int:
        """How many faults are planned."""
        return len(self.crashes) + len(self.publishes) + len(self.refused) + len(self.lost_acks)


@dataclass
class Run(Evidence):
    """What the databases and the broker hold in the end, and what is not acknowledged."""
    orders: list
    outbox: list
    stored: list
    spent: dict
    unacked: list


def perform(plan: Plan, functions: dict) -> Run:
    """Play one run to the end: orders, relay, consumer and faults, and then quiet until nothing moves."""
    return played(Stage, plan, functions)


class Stage:
    """One run in progress."""

    def __init__(self, plan: Plan, functions: dict, folder: Path):
        self.plan, self.functions = plan, functions
        self.clock = Clock(plan.crashes)
        self.broker = Broker(self.clock, plan.publishes, plan.refused, plan.lost_acks)
        self.shop, self.care = str(folder / "shop.db"), str(folder / "care.db")
        self.prepare()
        self.running = {name: self.process(name) for name in functions}
        self.processes = self.running.values()

    def process(self, name: str) -> Process:
        """The process that runs a function, on the database of its side."""
        who = {"place_order": "shop", "relay_once": "relay", "handle": "consumer"}[name]
        database = self.care if who == "consumer" else self.shop
        return Process(who, self.clock, database, {name: self.functions[name]})

    def prepare(self) -> None:
        """Create both databases and put in what no function is given for."""
        good = [order for order in self.plan.orders if order.amount > 0]
        made(self.shop, SHOP)
        made(self.care, CARE, [("INSERT INTO spent VALUES (?, 0)", (who,)) for who in customers(self.plan)])
        if "place_order" in self.functions:
            return
        row = "INSERT INTO outbox (event_id, order_id, customer, amount) VALUES (?, ?, ?, ?)"
        made(self.shop, statements=[("INSERT INTO orders VALUES (?, ?, ?)", order) for order in good]
             + [(row, event_of(order)) for order in good])
        if "relay_once" not in self.functions:
            self.broker.stored = [event_of(order) for order in good]

    def play(self) -> None:
        """Two orders, a round, two orders, a round; then rounds until the last fault is long over and nothing moves."""
        for number, order in enumerate(self.plan.orders, start=1):
            if "place_order" in self.functions:
                process = self.running["place_order"]
                process.call("place_order", Link(self.broker, process), order, about=order.id)
            if number % 2 == 0:
                self.round()
        quiet = 0
        while quiet < len(self.plan.orders) + 2:
            before = self.clock.steps, self.clock.faults
            self.round()
            if before[0] == self.clock.steps and not ("handle" in self.functions and self.broker.unacked()):
                return
            quiet = quiet + 1 if before[1] == self.clock.faults else 0

    def round(self) -> None:
        """The relay runs once, then everything unacknowledged is delivered once."""
        if "relay_once" in self.functions:
            process = self.running["relay_once"]
            process.call("relay_once", Link(self.broker, process))
        if "handle" in self.functions:
            process = self.running["handle"]
            for position, event in self.broker.unacked():
                process.call("handle", Delivery(event, position, self.broker, process), about=event.order)

    def seen(self) -> Run:
        """The evidence: what happened and what is left."""
        return Run.of(
            self.plan, self.clock, orders=rows(self.shop, "SELECT id, customer, amount FROM orders ORDER BY rowid"),
            outbox=rows(self.shop, "SELECT event_id, order_id, customer, amount, state FROM outbox ORDER BY position"),
            stored=plain(self.broker.stored), spent=dict(rows(self.care, "SELECT customer, total FROM spent")),
            unacked=[event.order for _, event in self.broker.unacked()])


def customers(plan: Plan) -> list[str]:
    return list(dict.fromkeys(order.customer for order in plan.orders))


def event_of(order: Order) -> Event:
    """The event the course itself writes for an order."""
    return Event(f"placed-{order.id}", *order)
