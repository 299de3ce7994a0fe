"""The stage on which a saga performs without a coordinator: three databases, a bus, a carrier, and a plan.

`perform(plan, functions)` plays one run and returns what could be seen of it: every step, what was published, and what
the databases say once everything is quiet. A service is two instances of the same functions on one database.
Each second the first instances handle what has arrived; what raises or dies is delivered again a second later. When
nothing is on its way, time jumps to the next moment at which something may happen.
"""
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from exercises.attack import Clock
from exercises.attack.runs import Evidence, plain
from exercises.attack.sqlite import made, rows
from exercises.attack.steps import Crash, Pausable, played

from .services import DEADLINE, SCHEMAS, Bus, Carrier, Event, Order, event_of

SECONDS = 80  # in which something happens; a saga that is not through by then never will be
LOOKS = 6     # seconds after an order's deadline in which `overdue` is called even if all is quiet
ACCOUNTS = {"stock": "SELECT sku, free FROM stock", "payment": "SELECT customer, balance FROM accounts"}


@dataclass(frozen=True)
class Plan:
    """One attack: the orders, and where the faults strike.

    There are `pieces` of each sku, and `purse` is what each customer has. `rejects` are (order, service); a service of
    the learner's rejects it because it has nothing left. `crashes` and `pauses` are step numbers. `faults` are (id of
    an event, the service to which it goes, "lost", "late" or "again", by how many seconds).
    """
    orders: tuple[Order, ...]
    pieces: int = 5
    purse: int = 1000
    rejects: tuple[tuple[str, str], ...] = ()
    crashes: tuple[int, ...] = ()
    pauses: tuple[int, ...] = ()
    faults: tuple[tuple[str, str, str, int], ...] = ()


@dataclass
class Run(Evidence):
    """What was published and how it ended for each order, and what the services have in the end."""
    published: list
    orders: dict
    ended: dict
    shipped: list
    before: dict
    after: dict
    range: dict


def perform(plan: Plan, functions: dict) -> Run:
    """Play one run to the end: orders, faults, and then quiet until nothing can happen any more."""
    return played(Stage, plan, functions)


def possessions(plan: Plan) -> dict[str, dict[str, int]]:
    """What there is in the beginning: pieces of each sku, money of each customer, less where a plan wants a no."""
    pieces = {order.sku: plan.pieces for order in plan.orders}
    purses = {order.customer: plan.purse for order in plan.orders}
    for order in plan.orders:
        if (order.order_id, "stock") in plan.rejects:
            pieces[order.sku] = 0
        if (order.order_id, "payment") in plan.rejects:
            purses[order.customer] = order.amount - 1
    return {"stock": pieces, "payment": purses}


class Instance(Pausable):
    """One of two processes of a service. A plan may stop it for so long that the other one takes over."""

    def __init__(self, service: str, number: int, stage: "Stage", functions: dict):
        self.service, self.number, self.stage, self.job = service, number, stage, None
        super().__init__(f"{service}-{number + 1}", stage.clock, stage.databases[service], functions)

    def work(self, name: str, argument, label: str) -> bool:
        """Whether a call was made and ended well; an event is then acknowledged, at which the process may die too."""
        if self.job:
            return False
        self.job = (name, argument, label)
        call = self.call(name, argument, about=label)
        self.stage.watch()
        done = call["outcome"] == "ok" and (name == "overdue" or self.acknowledged(call))
        self.job = None
        return done

    def acknowledged(self, call: dict) -> bool:
        try:
            self.step(f"ack {call['about']}")
        except Crash:
            self.bury(call)
        return call["outcome"] == "ok"


class Stage:
    """One run in progress."""

    def __init__(self, plan: Plan, functions: dict, folder: Path):
        self.plan, self.functions, self.now = plan, functions, -1
        self.databases = {service: str(folder / f"{service}.db") for service in SCHEMAS}
        self.clock, self.pauses = Clock(plan.crashes), set(plan.pauses)
        self.bus = Bus(self.clock, plan.faults)
        self.carrier = Carrier(order for order, service in plan.rejects if service == "shipping")
        self.before, self.relayed = possessions(plan), dict.fromkeys(SCHEMAS, 0)
        self.published, self.ended, self.range = [], {}, {}
        for service, schema in SCHEMAS.items():
            table = "stock" if service == "stock" else "accounts"
            owned = [(f"INSERT INTO {table} VALUES (?, ?)", pair) for pair in self.before.get(service, {}).items()]
            made(self.databases[service], schema, owned)
        numbers = (0, 1) if plan.pauses else (0,)  # a second one has nothing to do unless the first one is paused
        self.instances = {service: [Instance(service, number, self, functions) for number in numbers]
                          for service in SCHEMAS}

    @property
    def processes(self) -> list:
        """All instances of all services."""
        return [each for pair in self.instances.values() for each in pair]

    def play(self) -> None:
        """Second after second, until all is quiet and every deadline has passed."""
        for _ in range(SECONDS):
            moment = self.next_moment()
            if moment is None:
                break
            self.now = moment
            self.clock.note("the clock", f"second {moment}")
            self.second()
            self.forget_idle()

    def next_moment(self) -> int | None:
        """The next second in which something may happen."""
        placed = [order.placed_at for order in self.plan.orders]
        looks = [second + DEADLINE + wait for second in placed for wait in range(LOOKS)]
        moments = placed + [max(message.due, self.now + 1) for message in self.bus.waiting]
        return min((each for each in moments + looks * ("overdue" in self.functions) if each > self.now), default=None)

    def second(self) -> None:
        """Orders are placed, messages handled, deadlines looked after, outboxes published."""
        for order in self.plan.orders:
            if order.placed_at == self.now:
                made(self.databases["orders"], statements=[
                    ("INSERT INTO orders VALUES (?, ?, ?, ?, ?, 'pending', 0)", order),
                    ("INSERT INTO outbox VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", event_of(order, "OrderPlaced"))])
        for message in self.bus.due(self.now, "shipping"):
            if answer := self.carrier.handle(message.event):
                self.clock.note("the carrier", f"the carrier says {answer.type} to {message.event.id}")
                self.bus.publish(answer, self.now)
        for instances in self.instances.values():
            self.handle(instances[0])
        if "overdue" in self.functions:
            self.instances["orders"][0].work("overdue", self.now, str(self.now))
        for service in SCHEMAS:
            self.relay(service)

    def forget_idle(self) -> None:
        """A second in which nothing happened, or a look at the clock that found nothing, is not worth a line."""
        events = self.clock.events
        while events and (events[-1]["what"].startswith("second ") or
                          events[-1].get("call") == "overdue" and events[-1]["outcome"] == "ok"):
            events.pop()

    def handle(self, instance: Instance) -> int:
        """How many messages had arrived for an instance's service; it handles them, what it cannot comes again."""
        arrived = 0
        for arrived, message in enumerate(self.bus.due(self.now, instance.service), start=1):
            if not instance.work(message.service, message.event, message.event.id):
                self.bus.send(message.service, message.event, self.now + 1)
        return arrived

    def relay(self, service: str) -> None:
        """Publish what is new in an outbox, and note which orders have ended."""
        new = f"SELECT * FROM outbox WHERE n > {self.relayed[service]} ORDER BY n"
        for number, *columns in self.look(service, new):
            event = Event(*columns)
            self.relayed[service] = number
            self.published.append([self.now, service, event.type, event.order_id])
            self.bus.publish(event, self.now)
        if service == "orders":
            for order, status in self.orders().items():
                if status in ("done", "failed"):
                    self.ended.setdefault(order, self.now)

    def orders(self) -> dict[str, str]:
        return dict(self.look("orders", "SELECT order_id, status FROM orders"))

    def possessions(self) -> dict[str, dict[str, int]]:
        """What there is of everything at this moment."""
        return {service: dict(self.look(service, sql)) for service, sql in ACCOUNTS.items()}

    def look(self, service: str, sql: str) -> list[list]:
        """What a bystander reads from a service's database."""
        return rows(self.databases[service], sql)

    def watch(self) -> None:
        """Look at stock and accounts, as a bystander may at any time."""
        try:
            for service, owned in self.possessions().items():
                for name, number in owned.items():
                    least, most = self.range.get(name, (number, number))
                    self.range[name] = (min(least, number), max(most, number))
        except sqlite3.OperationalError:  # locked: the bystander looks again after the next call
            return

    def pause(self, instance: Instance, before: str) -> None:
        """Stop an instance in the middle of its call; the other one handles what else has arrived, or else the same."""
        other = self.instances[instance.service][1 - instance.number]
        with instance.asleep(before, service=instance.service):
            self.watch()
            if not other.job and not self.handle(other):
                other.work(*instance.job)

    def seen(self) -> Run:
        """The evidence: what happened, what was published, what the databases say."""
        shipped = sorted(order for order, what in self.carrier.decided.items() if what == "Shipped")
        return Run.of(
            self.plan, self.clock, published=plain(self.published), orders=self.orders(), ended=plain(self.ended),
            shipped=shipped, before=self.before, after=self.possessions(), range=plain(self.range))
