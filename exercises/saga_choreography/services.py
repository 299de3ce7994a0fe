"""What the services of a saga share: events, outboxes, a bus between them, and a carrier that is already written.

The bus delivers at least once and in any order. A service that is told something it has heard before, or something that
was overtaken by its own undoing, has to find that out by itself.
"""
from collections.abc import Iterator
from typing import NamedTuple

DEADLINE = 15  # seconds that an order may be pending before it is cancelled
HOP = 1        # seconds from an outbox to a subscriber

SUBSCRIBERS = {
    "OrderPlaced": ("stock",), "OrderCancelled": ("shipping",),
    "StockReserved": ("payment",), "StockRejected": ("orders",),
    "PaymentTaken": ("shipping",), "PaymentRejected": ("stock", "orders"),
    "Shipped": ("orders",), "ShippingRejected": ("payment", "stock", "orders")}

BOXES = """
CREATE TABLE inbox (event_id TEXT PRIMARY KEY);
CREATE TABLE outbox (n INTEGER PRIMARY KEY, id TEXT, type TEXT, order_id TEXT, customer TEXT, sku TEXT,
                     amount INTEGER, placed_at INTEGER);
"""
SCHEMAS = {
    "orders": BOXES + """
CREATE TABLE orders (order_id TEXT PRIMARY KEY, customer TEXT, sku TEXT, amount INTEGER, placed_at INTEGER,
                     status TEXT, cancelled INTEGER)""",
    "stock": BOXES + """
CREATE TABLE stock (sku TEXT PRIMARY KEY, free INTEGER);
CREATE TABLE reservations (order_id TEXT PRIMARY KEY, sku TEXT, state TEXT)""",
    "payment": BOXES + """
CREATE TABLE accounts (customer TEXT PRIMARY KEY, balance INTEGER);
CREATE TABLE payments (order_id TEXT PRIMARY KEY, amount INTEGER, state TEXT)"""}


class Order(NamedTuple):
    """An order for one piece: whose, of what, at what price, and the second in which it was placed."""
    order_id: str
    customer: str
    sku: str
    amount: int
    placed_at: int


class Event(NamedTuple):
    """Something that happened to an order, and all there is to know about the order."""
    id: str
    type: str
    order_id: str
    customer: str
    sku: str
    amount: int
    placed_at: int


def event_of(order: Order | Event, type: str, note: str = "") -> Event:
    """An event of this type about the order of another one; the same happening has the same id."""
    return Event(f"{order.order_id} {type}{note}", type, order.order_id, order.customer, order.sku, order.amount,
                 order.placed_at)


def emit(db, order: Order | Event, type: str) -> None:
    """Put an event about an order into the outbox of this database: it is published once that is committed."""
    if type not in SUBSCRIBERS:
        raise ValueError(f"no event is called {type!r}: {', '.join(SUBSCRIBERS)}")
    db.execute("INSERT INTO outbox (id, type, order_id, customer, sku, amount, placed_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
               event_of(order, type))


class Carrier:
    """The shipping service, and the pivot: it ships an order or it never will, and says so when it is asked."""

    def __init__(self, rejects):
        self.rejects, self.decided = set(rejects), {}

    def handle(self, event: Event) -> Event | None:
        """The answer to each `OrderCancelled`; that to `PaymentTaken` only if nothing has been decided yet."""
        cancelled, known = event.type == "OrderCancelled", event.order_id in self.decided
        no = cancelled or event.order_id in self.rejects
        answer = self.decided.setdefault(event.order_id, "ShippingRejected" if no else "Shipped")
        return event_of(event, answer, " after all" * cancelled) if cancelled or not known else None


class Message(NamedTuple):
    """An event on its way to one subscriber."""
    due: int
    number: int
    service: str
    event: Event


class Bus:
    """Messages on their way, each identified by its event and its subscriber: lost for good, late, or coming again."""

    def __init__(self, clock, faults):
        self.clock, self.waiting, self.sent = clock, [], 0
        self.faults = {(event, service): (kind, seconds) for event, service, kind, seconds in faults}

    def publish(self, event: Event, now: int) -> None:
        """Send an event to everyone whom it concerns."""
        for service in SUBSCRIBERS.get(event.type, ()):
            kind, seconds = self.faults.pop((event.id, service), ("", 0))
            if kind:
                self.clock.fault("the bus", kind, event=event.id, order=event.order_id, service=service,
                                 seconds=seconds)
            if kind != "lost":
                self.send(service, event, now + HOP + seconds * (kind == "late"))
            if kind == "again":
                self.send(service, event, now + HOP + seconds)

    def send(self, service: str, event: Event, due: int) -> None:
        self.sent += 1
        self.waiting.append(Message(due, self.sent, service, event))

    def due(self, now: int, *services: str) -> Iterator[Message]:
        """Take the messages that have arrived for these services, one after the other."""
        while ready := [each for each in self.waiting if each.due <= now and each.service in services]:
            self.waiting.remove(min(ready))
            yield min(ready)
