"""The stage on which a saga performs: one SQLite file, two workers, four services, and a plan.

`perform(plan, functions)` plays one run and returns what could be seen of it: every step, what the services did, and
what the database says once everything is quiet. Each order is started by one of the workers; from then on both call
`resume` in turn until no order is pending.
"""
import sqlite3
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from exercises.attack import Clock
from exercises.attack.runs import Evidence, plain
from exercises.attack.sqlite import made, rows
from exercises.attack.steps import Pausable, played

from .services import Line, Order, World

SCHEMA = """
CREATE TABLE orders (order_id TEXT PRIMARY KEY, customer TEXT, amount INTEGER, status TEXT);
CREATE TABLE credit (customer TEXT PRIMARY KEY, most INTEGER, held INTEGER);
CREATE TABLE sagas (order_id TEXT PRIMARY KEY, step INTEGER, direction TEXT, tries INTEGER)
"""
WORKERS = ("worker-1", "worker-2")
ROUNDS = 16  # of both workers; a saga that is not through by then never will be


@dataclass(frozen=True)
class Plan:
    """One attack: the orders, and where the faults strike.

    `credit` is what each customer may have held at a time. `crashes` and `pauses` are step numbers. `faults` are
    (service, number of its request, "request lost", "answer lost", "late" or "busy"); `rejects` are (order, service);
    `silent` are (order, service, kind of loss): that service never answers for that order.
    """
    orders: tuple[Order, ...]
    credit: int = 1000
    crashes: tuple[int, ...] = ()
    pauses: tuple[int, ...] = ()
    faults: tuple[tuple[str, int, str], ...] = ()
    rejects: tuple[tuple[str, str], ...] = ()
    silent: tuple[tuple[str, str, str], ...] = ()


@dataclass
class Run(Evidence):
    """What took effect at the services, how orders ended, and what was held."""
    effects: list
    orders: dict
    held: dict
    most_held: dict


def perform(plan: Plan, functions: dict) -> Run:
    """Play one run to the end: orders, faults, and then quiet until nothing is pending."""
    return played(Stage, plan, functions)


class Worker(Pausable):
    """A process that starts orders and resumes sagas. A plan may stop it for so long that the other one takes over."""

    def __init__(self, number: int, stage: "Stage", functions: dict):
        self.stage, self.number, self.busy = stage, number, False
        self.orders = deque(stage.plan.orders[number::2])
        super().__init__(WORKERS[number], stage.clock, stage.database, functions)

    def step(self, what: str) -> dict:
        self.breathe()
        self.stage.watch()
        return super().step(what)

    def work(self) -> None:
        """Start the next order, or else resume whatever is unfinished."""
        if self.busy:
            return
        self.busy = True
        line = Line(self.stage.world, self)
        if not self.orders:
            self.call("resume", line)
        else:
            call = self.call("start", line, self.orders[0], about=self.orders[0].id)
            if call["outcome"] != "info" and call.get("error") != "OperationalError":
                self.orders.popleft()
        self.busy = False


class Stage:
    """One run in progress."""

    def __init__(self, plan: Plan, functions: dict, folder: Path):
        self.plan, self.database, self.clock = plan, str(folder / "saga.db"), Clock(plan.crashes)
        self.world, self.pauses = World(self.clock, plan.faults, plan.rejects, plan.silent), set(plan.pauses)
        customers = sorted({order.customer for order in plan.orders})
        made(self.database, SCHEMA, [("INSERT INTO credit VALUES (?, ?, 0)", (who, plan.credit)) for who in customers])
        self.most_held = dict.fromkeys(customers, 0)
        self.workers = self.processes = [Worker(number, self, functions) for number in (0, 1)]

    def play(self) -> None:
        """Rounds of both workers until every order has ended; then what is still on its way arrives."""
        for _ in range(ROUNDS):
            for worker in self.workers:
                worker.work()
            if not any(worker.orders for worker in self.workers) and not self.pending():
                break
        self.world.arrive(everything=True)
        self.watch()

    def pending(self) -> bool:
        """Whether an order has neither been done nor failed."""
        ended = rows(self.database, "SELECT COUNT(*) FROM orders WHERE status IN ('done', 'failed')")[0][0]
        return ended < len(self.plan.orders)

    def watch(self) -> None:
        """Look at what is held for each customer, as a bystander may at any time."""
        try:
            for customer, held in rows(self.database, "SELECT customer, held FROM credit"):
                if abs(held) > abs(self.most_held.get(customer, 0)):
                    self.most_held[customer] = held
        except sqlite3.OperationalError:  # locked: the bystander looks again at the next step
            return

    def pause(self, worker: Worker, before: str) -> None:
        """Stop a worker in the middle of its call while the other one starts its orders, or resumes once."""
        other = self.workers[1 - worker.number]
        with worker.asleep(before):
            for _ in range(max(1, len(other.orders))):
                other.work()

    def seen(self) -> Run:
        """The evidence: what happened, what the services did, what the database says."""
        orders, held = (dict(rows(self.database, query)) for query in (
            "SELECT order_id, status FROM orders", "SELECT customer, held FROM credit"))
        return Run.of(self.plan, self.clock, effects=plain(self.world.effects), orders=orders, held=held,
                      most_held=plain(self.most_held))
